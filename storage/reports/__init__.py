"""What a closed wave said: figures behind the threshold, and the picture of them."""

from storage.reports.figures import Mention, Statement, WaveFigures, figures_of
from storage.reports.suppression import Span, shown

__all__ = ["Mention", "Span", "Statement", "WaveFigures", "figures_of", "shown"]
