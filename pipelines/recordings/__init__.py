"""`callsync recordings`: what calls sound like, brought from the providers to a folder or a store.

    published copy ──listing──▶ wanted ──workers──▶ part on disk ──▶ target      (no lock on the warehouse)
         ▲                        ▲                      │ whole, checked
         └──── publish ◀── callsync.recording_files ◀── journal                  (a short one, in between)

A recording counts as held once its line is in the journal, which is written after the file is in its place;
the lines go to the warehouse in short steps between other runs, and leave the journal when the copy has them.
"""
