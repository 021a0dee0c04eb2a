"""verl: the schedule of the critic, which stands beside that of the actor in a command or config."""

from schedframe.importers._frameworks.verl import IMPORTER as ACTOR
from schedframe.importers._frameworks.verl import convert_critic
from schedframe.importers._importer import Importer

IMPORTER = Importer("verl-critic", ACTOR.title, lambda source: False, convert_critic)
"""The importer of the critic's schedule, which is only chosen by its name."""
