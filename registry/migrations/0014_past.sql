CREATE TABLE "consultations" (
	"id" text PRIMARY KEY NOT NULL,
	"area" text,
	"title" text NOT NULL,
	"from_at" bigint NOT NULL,
	"to_at" bigint NOT NULL,
	"views" json NOT NULL,
	"conclusions" text NOT NULL,
	"at" bigint NOT NULL,
	"by_login" text NOT NULL,
	"by_name" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "alarm_journal" ADD COLUMN "until" bigint;--> statement-breakpoint
CREATE INDEX "consultations_at" ON "consultations" USING btree ("at");