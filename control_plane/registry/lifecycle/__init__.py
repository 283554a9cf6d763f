"""What becomes of a proposal after people approved it, and of a release after it went out.

    tables       when a proposal is due, what it derives from, when a trial ends, which releases must be reviewed
    conditions   what must hold when something is released, by hand or at its time
    scheduling   releasing at a time, and suspending what no longer holds
    derived      promotion, rollback and return: proposals whose content was approved somewhere before
    course       what becomes of a proposal by itself, for whoever looks at it
    windows      trials on a channel, with an end
    emergency    break-glass releases and their mandatory review
    withdrawing  stopping a prompt, or a whole channel

Does not: release (see `registry.releases`).
"""
