"""How do all processes of one installation start, stay up and stop together?"""
