"""Its presence lets the folders below import what the tests here share (`courses`)."""
