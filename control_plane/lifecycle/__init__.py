"""What becomes of a proposal after people approved it, and of a release after it went out.

    releases     what devices are told, and when
    conditions   what must hold when something is released, by hand or at its time
    scheduling   releasing at a time, and suspending what no longer holds
    suspending   what was to go out, and does not
    acts         promotion, rollback and return: proposals whose content was approved somewhere before
    windows      trials on a channel, with an end
    emergency    break-glass releases and their mandatory review
    withdrawing  stopping a prompt, or a whole channel

Does not: say what becomes of a proposal to whoever looks at it (see `overview.course`).
"""
