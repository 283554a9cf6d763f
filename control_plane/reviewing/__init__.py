"""What happens between a change and its approval: drafts, threads, objections, requests, expiry, batches, lists.

Does not: make manifests, count quorums or release (see `control_plane.registry`).
"""
