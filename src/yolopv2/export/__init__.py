"""The network as files for other engines. Needs the extra ``export``."""
