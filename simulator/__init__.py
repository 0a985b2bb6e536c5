"""The call-history APIs of VBot, eTelecom and Voximplant on loopback, with state, limits and faults."""

from simulator.control import Simulator
from simulator.faults import FaultKind, Faults
from simulator.provider import REMOVED

__all__ = ["REMOVED", "FaultKind", "Faults", "Simulator"]
