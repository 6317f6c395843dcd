"""Random companies, and who sees what in them, told twice: by the contract's sentences and by the product.

`world` holds the plain facts, `generate` draws them, `store` writes them as rows, `oracle` says in plain Python who
may see what (it asks the facts alone, never the database), and `compare` asks the product and lists where it differs.
"""
