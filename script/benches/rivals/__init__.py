"""The same list in FastAPI + SQLAlchemy on asyncpg, and in django-ninja: each as its own documentation writes it.

Both look the token up by its hash, work out who the caller is and what that person reaches, and answer the rows of one
folder. They know neither row policies nor a count of requests.

django-helpdesk is no list of ours written anew, but the program itself with its own tables, filled from ours.
"""
