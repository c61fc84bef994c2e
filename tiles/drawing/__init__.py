"""Drawing by Mapnik in a pool of processes: what to draw (questions), how (mapnik_xml), and by whom (pool, child)."""
