"""What runs: sync, backfill, verify, recordings, publishing, status and the command line."""
