CREATE TABLE "alarm_journal" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "alarm_journal_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"alarm" text NOT NULL,
	"area" text,
	"occurrence" integer NOT NULL,
	"event" text NOT NULL,
	"at" bigint NOT NULL,
	"who" text NOT NULL,
	"note" text NOT NULL,
	"value" double precision
);
--> statement-breakpoint
CREATE TABLE "alarm_rules" (
	"id" text PRIMARY KEY NOT NULL,
	"setting" json NOT NULL,
	"by_login" text NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "alarms" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"area" text,
	"site" text,
	"gate" text,
	"priority" text NOT NULL,
	"phase" text NOT NULL,
	"since" bigint,
	"clear_since" bigint,
	"sample_at" bigint,
	"occurrence" integer NOT NULL,
	"value" double precision,
	"limit_value" double precision,
	"suppressed" boolean NOT NULL,
	"raised_at" bigint,
	"returned_at" bigint,
	"acknowledged" integer DEFAULT 0 NOT NULL,
	"acknowledged_by" text,
	"acknowledged_at" bigint,
	"shelved_until" bigint,
	"shelved_by" text,
	"shelve_reason" text,
	"out_of_service" boolean DEFAULT false NOT NULL,
	"rev" integer DEFAULT 1 NOT NULL,
	"changed_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "alarm_journal_once" ON "alarm_journal" USING btree ("alarm","event","occurrence","at","who");--> statement-breakpoint
CREATE INDEX "alarm_journal_at" ON "alarm_journal" USING btree ("at");--> statement-breakpoint
CREATE INDEX "alarms_changed" ON "alarms" USING btree ("changed_at");