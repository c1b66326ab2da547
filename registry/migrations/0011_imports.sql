CREATE TABLE "imports" (
	"gate" text NOT NULL,
	"at" bigint NOT NULL,
	"from_ms" bigint NOT NULL,
	"to_ms" bigint NOT NULL,
	"samples" integer NOT NULL,
	"file" text NOT NULL,
	"by_whom" text NOT NULL,
	CONSTRAINT "imports_gate_at_pk" PRIMARY KEY("gate","at")
);
