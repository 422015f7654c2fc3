"""Generators and discriminators that fit each other: images of 16 to 1024 pixels, points and tables.

Importing this package makes their layers known to `keras.saving.load_model`.
"""

from __future__ import annotations

from ganmedic.networks.by_name import get, names
from ganmedic.networks.dcgan import dcgan
from ganmedic.networks.dense import dense
from ganmedic.networks.grouped_convolution import GroupedConv2D
from ganmedic.networks.pair import Networks
from ganmedic.networks.resnet import resnet
from ganmedic.networks.scaled_leaky_relu import ScaledLeakyReLU
from ganmedic.networks.starting_maps import LearnedMaps, ScaledMaps
from ganmedic.networks.style import style

__all__ = [
    "GroupedConv2D",
    "LearnedMaps",
    "Networks",
    "ScaledLeakyReLU",
    "ScaledMaps",
    "dcgan",
    "dense",
    "get",
    "names",
    "resnet",
    "style",
]
