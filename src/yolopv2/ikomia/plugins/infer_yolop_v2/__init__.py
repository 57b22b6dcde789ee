"""The plugin infer_yolop_v2 of yolopv2."""
