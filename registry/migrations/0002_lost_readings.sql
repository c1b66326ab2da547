CREATE TABLE "lost_readings" (
	"site" text NOT NULL,
	"batch" text NOT NULL,
	"n" integer NOT NULL,
	"area" text NOT NULL,
	"structure" text,
	"from_ms" bigint NOT NULL,
	"to_ms" bigint NOT NULL,
	"readings" integer NOT NULL,
	"why" text NOT NULL,
	"told_at" bigint NOT NULL,
	CONSTRAINT "lost_readings_site_batch_n_pk" PRIMARY KEY("site","batch","n")
);
