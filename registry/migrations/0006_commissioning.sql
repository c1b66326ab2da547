CREATE TABLE "commissioning_records" (
	"id" text PRIMARY KEY NOT NULL,
	"site" text NOT NULL,
	"area" text NOT NULL,
	"structure" text NOT NULL,
	"signed_at" bigint NOT NULL,
	"received_at" bigint NOT NULL,
	"record" json NOT NULL
);
--> statement-breakpoint
CREATE INDEX "commissioning_records_site" ON "commissioning_records" USING btree ("site","signed_at");