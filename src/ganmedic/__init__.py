"""ganmedic tells why a GAN does not learn."""

from __future__ import annotations

__version__ = "0.1.0"
