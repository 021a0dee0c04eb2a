"""The loss of a run before it is paid for: predicted from the loss curves of runs of one's own, with error bars.

::

    import schedframe
    from schedframe import foresight

    law = foresight.fit([(foresight.read("cosine.log"), schedframe.load("cosine.yaml"))])
    forecast = law.predict(schedframe.load("wsd.yaml"))
    forecast.final, forecast.final_bounds(0.95)

Everything is in updates of the optimizer and in nats. The extra ``foresight`` installs numpy, which is all it needs.
"""

from schedframe._errors import ForesightError
from schedframe.foresight._backtest import Tested, backtest
from schedframe.foresight._curve import Curve, Grid
from schedframe.foresight._fit import fit
from schedframe.foresight._law import CLOSE, Difference, Forecast, Law
from schedframe.foresight._laws.installed import loss_laws
from schedframe.foresight._laws.law import LossLaw, Prior, Reference
from schedframe.foresight._log import Log, log_of, read
from schedframe.foresight._propose import FAMILIES, Candidate, Proposal, propose
from schedframe.foresight._reasons import Reason
from schedframe.foresight._same_run import Run

__all__ = [
    "CLOSE",
    "Candidate",
    "Curve",
    "Difference",
    "FAMILIES",
    "Forecast",
    "ForesightError",
    "Grid",
    "Law",
    "Log",
    "LossLaw",
    "Prior",
    "Proposal",
    "Reason",
    "Reference",
    "Run",
    "Tested",
    "backtest",
    "fit",
    "log_of",
    "loss_laws",
    "propose",
    "read",
]
