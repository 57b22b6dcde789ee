"""YOLOPv2: panoptic driving perception."""
