CREATE TABLE "site_configs" (
	"id" text PRIMARY KEY NOT NULL,
	"site" text NOT NULL,
	"area" text NOT NULL,
	"version" bigint NOT NULL,
	"hash" text NOT NULL,
	"text" text NOT NULL,
	"state" text NOT NULL,
	"reason" text,
	"trial_s" integer NOT NULL,
	"by_login" text NOT NULL,
	"why" text NOT NULL,
	"made_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	"signed" text,
	"seen" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "site_configs_version" ON "site_configs" USING btree ("site","version","hash");--> statement-breakpoint
CREATE INDEX "site_configs_made" ON "site_configs" USING btree ("site","made_at");--> statement-breakpoint
CREATE INDEX "site_configs_state" ON "site_configs" USING btree ("state");