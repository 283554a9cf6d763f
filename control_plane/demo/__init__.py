"""The demonstration: the whole journey in the terminal, against a real server and a real device.

journey    the steps, each one line with what was verified
parties    the processes and people that take part: server, device, recording cloud
note.txt   the note it uses unless another is given
"""
