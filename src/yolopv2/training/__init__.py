"""Learning: which anchors answer, what is minimised, and the loop. Needs the extra ``train``."""
