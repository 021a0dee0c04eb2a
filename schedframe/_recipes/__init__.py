"""Published schedules as files: ``published`` has those of schedframe, and plugins add folders of their own."""
