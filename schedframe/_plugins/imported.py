"""What ``SCHEDFRAME_IMPORT`` names is imported by the first import of this module, at the first look-up of a style.

Python imports a module once however many threads ask, lets one ask again while it is being imported, and tries again
after an error: nothing else is needed here. The modules of files lie below this one, so that pickle, which imports it
first, finds a style of a file in a process that has looked up nothing yet.
"""

from schedframe._plugins.one_off import VARIABLE, import_named, listed

for _name in listed():
    import_named(_name, VARIABLE)
