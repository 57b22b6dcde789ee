"""The studio: a page in the browser on which people look at the road, and the small application behind it.

The page (``page/``, plain HTML, CSS and JavaScript) gets what the network gave before anything is decided, and decides
itself; so thresholds act at once. The application keeps files, runs models and reads videos.
"""

from yolopv2.studio.app import create_app
from yolopv2.studio.settings import Limits, Settings

__all__ = ["Limits", "Settings", "create_app"]
