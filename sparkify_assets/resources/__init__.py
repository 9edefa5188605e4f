"""What assets are given to work with: the Spark session, the landing zone and the lake."""
