CREATE TABLE "notifications" (
	"id" text PRIMARY KEY NOT NULL,
	"receiver" text NOT NULL,
	"channel" text NOT NULL,
	"step" integer NOT NULL,
	"priority" text NOT NULL,
	"areas" text[] NOT NULL,
	"body" json NOT NULL,
	"at" bigint NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"tried_at" bigint,
	"next_at" bigint NOT NULL,
	"sent_at" bigint,
	"error" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "told_alarms" (
	"alarm" text NOT NULL,
	"occurrence" integer NOT NULL,
	"receiver" text NOT NULL,
	"step" integer NOT NULL,
	"at" bigint NOT NULL,
	"message" text NOT NULL,
	CONSTRAINT "told_alarms_alarm_occurrence_receiver_step_pk" PRIMARY KEY("alarm","occurrence","receiver","step")
);
--> statement-breakpoint
CREATE INDEX "notifications_at" ON "notifications" USING btree ("at");--> statement-breakpoint
CREATE INDEX "notifications_waiting" ON "notifications" USING btree ("state","next_at");