CREATE TABLE "corrections" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "corrections_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"gate" text NOT NULL,
	"metric" text NOT NULL,
	"from_ms" bigint NOT NULL,
	"to_ms" bigint NOT NULL,
	"ruling" json NOT NULL,
	"reason" text NOT NULL,
	"by_whom" text NOT NULL,
	"at" bigint NOT NULL,
	"withdrawn_by" text,
	"withdrawn_at" bigint,
	"withdrawn_why" text
);
--> statement-breakpoint
CREATE TABLE "flow_methods" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "flow_methods_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"structure" text NOT NULL,
	"from_ms" bigint NOT NULL,
	"method" json NOT NULL,
	"by_whom" text NOT NULL,
	"at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text NOT NULL,
	"until_ms" bigint NOT NULL,
	"term" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "manual_readings" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "manual_readings_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"gate" text NOT NULL,
	"kind" text NOT NULL,
	"t" bigint NOT NULL,
	"value" double precision NOT NULL,
	"uncertainty" double precision,
	"observer" text NOT NULL,
	"note" text NOT NULL,
	"by_whom" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "manual_readings_identity" UNIQUE("gate","kind","t")
);
--> statement-breakpoint
CREATE TABLE "report_issues" (
	"kind" text NOT NULL,
	"period" text NOT NULL,
	"area" text NOT NULL,
	"issue" integer NOT NULL,
	"digest" text NOT NULL,
	"content" json NOT NULL,
	"by_whom" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "report_issues_kind_period_area_issue_pk" PRIMARY KEY("kind","period","area","issue")
);
--> statement-breakpoint
CREATE TABLE "verdict_rules" (
	"gate" text NOT NULL,
	"metric" text NOT NULL,
	"rule" json NOT NULL,
	"by_whom" text NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "verdict_rules_gate_metric_pk" PRIMARY KEY("gate","metric")
);
--> statement-breakpoint
CREATE INDEX "corrections_gate" ON "corrections" USING btree ("gate","from_ms");--> statement-breakpoint
CREATE INDEX "flow_methods_structure" ON "flow_methods" USING btree ("structure","from_ms");