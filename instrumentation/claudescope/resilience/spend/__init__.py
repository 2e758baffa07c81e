"""US dollars: what a call may cost, priced before it is sent, and budgets of workflows by the day."""
