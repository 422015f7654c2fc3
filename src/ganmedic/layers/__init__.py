"""Keras layers that GANs are built of and Keras lacks, or has in another form: normalisation, resampling, attention, noise.

Importing this package makes them known to `keras.saving.load_model`.
"""

from __future__ import annotations

from ganmedic.layers.blur import BlurDownsample2D, BlurUpsample2D
from ganmedic.layers.equalized_learning_rate import EqualizedLearningRate, equalized_conv2d, equalized_dense
from ganmedic.layers.minibatch_standard_deviation import MinibatchStandardDeviation
from ganmedic.layers.modulated_conv import ModulatedConv2D
from ganmedic.layers.noise_injection import NoiseInjection
from ganmedic.layers.pixel_normalization import PixelNormalization
from ganmedic.layers.self_attention import SelfAttention2D
from ganmedic.layers.spectral_normalization import SpectralNormalization

__all__ = [
    "BlurDownsample2D",
    "BlurUpsample2D",
    "EqualizedLearningRate",
    "MinibatchStandardDeviation",
    "ModulatedConv2D",
    "NoiseInjection",
    "PixelNormalization",
    "SelfAttention2D",
    "SpectralNormalization",
    "equalized_conv2d",
    "equalized_dense",
]
