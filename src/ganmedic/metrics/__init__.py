"""How good and how varied generated samples are.

    scores = ganmedic.metrics.measure(real, generated, ["precision_recall", "kid"])
    for score in scores:
        print(score)

Every score carries its interval, its numbers of samples, its seed and what the samples were compared by. `names()` lists the metrics,
`get` makes one with arguments, `extractors` are what turns samples into features. NumPy does all of it; TensorFlow is imported only
where a network extracts features.
"""

from __future__ import annotations

from ganmedic.metrics import extractors
from ganmedic.metrics.catalogue import get, names
from ganmedic.metrics.class_coverage import ClassCoverage, class_coverage
from ganmedic.metrics.density_coverage import DensityCoverage
from ganmedic.metrics.frechet import Frechet
from ganmedic.metrics.kid import KID
from ganmedic.metrics.measuring import measure
from ganmedic.metrics.metric import Metric
from ganmedic.metrics.mode_coverage import ModeCoverage, Modes, mode_coverage
from ganmedic.metrics.precision_recall import PrecisionRecall
from ganmedic.metrics.score import Score
from ganmedic.metrics.similarity import MultiScaleSimilarity
from ganmedic.metrics.sliced_wasserstein import SlicedWasserstein
from ganmedic.metrics.vendi import Vendi

__all__ = [
    "KID",
    "ClassCoverage",
    "DensityCoverage",
    "Frechet",
    "Metric",
    "ModeCoverage",
    "Modes",
    "MultiScaleSimilarity",
    "PrecisionRecall",
    "Score",
    "SlicedWasserstein",
    "Vendi",
    "class_coverage",
    "extractors",
    "get",
    "measure",
    "mode_coverage",
    "names",
]
