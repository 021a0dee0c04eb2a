"""Pictures of curves: what they show, and how matplotlib draws it."""
