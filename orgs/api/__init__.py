"""The organizations door (`contract orgs`): one dialect over the tree."""
