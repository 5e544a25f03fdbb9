"""What a user agent says of its system: queries have to agree with it. Pure."""


def system_of(user_agent: str) -> tuple[str, str]:
    """The platform that a script in such a browser sees, and the name of the system."""
    if "Macintosh" in user_agent:
        return "MacIntel", "mac"
    return ("Win32", "windows") if "Windows" in user_agent else ("Linux x86_64", "linux")
