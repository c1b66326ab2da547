CREATE TABLE "handovers" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "handovers_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" bigint NOT NULL,
	"by_login" text NOT NULL,
	"by_name" text NOT NULL,
	"area" text,
	"note" text NOT NULL,
	"items" json NOT NULL,
	"taken_at" bigint,
	"taken_by" text,
	"taken_by_name" text
);
--> statement-breakpoint
CREATE TABLE "shift_entries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "shift_entries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"at" bigint NOT NULL,
	"by_login" text NOT NULL,
	"by_name" text NOT NULL,
	"area" text,
	"gate" text,
	"alarm" text,
	"text" text NOT NULL,
	"amends" bigint,
	"open" boolean NOT NULL,
	"closed_at" bigint,
	"closed_by" text
);
--> statement-breakpoint
CREATE INDEX "handovers_at" ON "handovers" USING btree ("at");--> statement-breakpoint
CREATE INDEX "shift_entries_at" ON "shift_entries" USING btree ("at");--> statement-breakpoint
CREATE INDEX "shift_entries_gate" ON "shift_entries" USING btree ("gate","at");