"""The starter library: scripts, policies, approval rules, schemas and cases. Data only; see README.md."""
