"""From a change to its approval: drafts, proposals, threads, objections, requests, checks, approvals, their end.

Does not: make manifests or count quorums (see `registry`), or release (see `lifecycle`).
"""
