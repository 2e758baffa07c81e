"""What calls cost: prices of models, and the arithmetic that turns usage into US dollars."""
