"""The relations of the warehouse, one a file: staging, intermediate and reporting; and tests over them."""
