CREATE TABLE "api_tokens" (
	"id" text PRIMARY KEY NOT NULL,
	"token_hash" text NOT NULL,
	"person" text NOT NULL,
	"name" text NOT NULL,
	"scopes" json NOT NULL,
	"created_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"used_at" bigint,
	CONSTRAINT "api_tokens_token_hash_unique" UNIQUE("token_hash")
);
--> statement-breakpoint
CREATE TABLE "command_counters" (
	"structure" text PRIMARY KEY NOT NULL,
	"counter" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "commands" (
	"id" text PRIMARY KEY NOT NULL,
	"structure" text NOT NULL,
	"area" text NOT NULL,
	"site" text NOT NULL,
	"action" json NOT NULL,
	"state" text NOT NULL,
	"reason" text,
	"needs_second" boolean NOT NULL,
	"by_login" text NOT NULL,
	"session" text NOT NULL,
	"approved_by" text,
	"order_id" text,
	"counter" bigint,
	"signed" text,
	"selected_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL,
	"confirmed_at" bigint,
	"moving_at" bigint,
	"updated_at" bigint NOT NULL,
	"report" json
);
--> statement-breakpoint
CREATE TABLE "holds" (
	"canal" text PRIMARY KEY NOT NULL,
	"login" text NOT NULL,
	"name" text NOT NULL,
	"since" bigint NOT NULL,
	"offered_to" text
);
--> statement-breakpoint
CREATE TABLE "lockouts" (
	"id" text PRIMARY KEY NOT NULL,
	"structure" text NOT NULL,
	"reason" text NOT NULL,
	"by_login" text NOT NULL,
	"by_name" text NOT NULL,
	"at" bigint NOT NULL,
	"until" bigint NOT NULL,
	"lifted_by" text,
	"lifted_at" bigint
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" text PRIMARY KEY NOT NULL,
	"year" integer NOT NULL,
	"number" integer NOT NULL,
	"area" text NOT NULL,
	"structure" text NOT NULL,
	"state" text NOT NULL,
	"target" json NOT NULL,
	"reason" text NOT NULL,
	"effective_at" bigint NOT NULL,
	"travel_ms" bigint NOT NULL,
	"steps" json NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"structure" text NOT NULL,
	"from_at" bigint NOT NULL,
	"kind" text NOT NULL,
	"volume_m3" bigint NOT NULL,
	"by_login" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "plans_structure_from_at_kind_pk" PRIMARY KEY("structure","from_at","kind")
);
--> statement-breakpoint
CREATE TABLE "second_factors" (
	"person" text PRIMARY KEY NOT NULL,
	"secret" text NOT NULL,
	"confirmed_at" bigint,
	"last_step" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "site_keys" (
	"site" text PRIMARY KEY NOT NULL,
	"area" text NOT NULL,
	"site_key" text NOT NULL,
	"mqtt_user" text NOT NULL,
	"mqtt_hash" text NOT NULL,
	"made_at" bigint NOT NULL,
	"revoked_at" bigint,
	CONSTRAINT "site_keys_mqtt_user_unique" UNIQUE("mqtt_user")
);
--> statement-breakpoint
ALTER TABLE "audit" ADD COLUMN "prev_hash" text;--> statement-breakpoint
ALTER TABLE "audit" ADD COLUMN "hash" text;--> statement-breakpoint
ALTER TABLE "api_tokens" ADD CONSTRAINT "api_tokens_person_people_id_fk" FOREIGN KEY ("person") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "second_factors" ADD CONSTRAINT "second_factors_person_people_id_fk" FOREIGN KEY ("person") REFERENCES "public"."people"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_tokens_person" ON "api_tokens" USING btree ("person");--> statement-breakpoint
CREATE INDEX "commands_structure" ON "commands" USING btree ("structure","selected_at");--> statement-breakpoint
CREATE INDEX "commands_state" ON "commands" USING btree ("state");--> statement-breakpoint
CREATE INDEX "lockouts_structure" ON "lockouts" USING btree ("structure");--> statement-breakpoint
CREATE UNIQUE INDEX "orders_number" ON "orders" USING btree ("year","number");--> statement-breakpoint
CREATE INDEX "orders_created" ON "orders" USING btree ("created_at");