"""The plugin train_yolop_v2 of yolopv2."""
