"""The parts that dashboards are made of: panels, layout, colours, and the JSON that Grafana reads."""
