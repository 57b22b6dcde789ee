"""What the studio and the service have in common: the socket, the names they go by, the names of what they are sent."""

from yolopv2.web.listen import LOOPBACK, address_of, listen
from yolopv2.web.names import is_known_host, is_own_origin, plain_name

__all__ = ["LOOPBACK", "address_of", "is_known_host", "is_own_origin", "listen", "plain_name"]
