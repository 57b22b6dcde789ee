"""Jobs: videos that are looked at in their own time, kept on disk."""
