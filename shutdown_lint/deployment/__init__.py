"""Deployment files: what they start, under which shell or init, with which signals and grace periods.

===============  ==================================================================================
``facts``        what a file says: units with commands and settings, each with its place
``read``         the reader for a file's kind; troubles and notes
``yaml``         YAML as plain nodes with places; aliases stay references
``dockerfile``, ``compose``, ``kubernetes``, ``systemd``, ``supervisor``, ``procfile``, ``script``
                 one reader a format
``shell``        the simple commands of shell text, with how they follow one another
``commands``     what a command line comes to: init, shells, wrappers, the program
``replacing``    whether a shell can be replaced by its last command
``images``       what is known of base images: their shell
``durations``    time spans of the formats, in seconds
``world``        all deployment files of a project: who starts what
===============  ==================================================================================
"""
