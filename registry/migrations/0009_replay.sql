ALTER TABLE "dead_letters" ADD COLUMN "batch" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_state" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_by" text;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_at" bigint;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_samples" integer;--> statement-breakpoint
ALTER TABLE "dead_letters" ADD COLUMN "replay_note" text;