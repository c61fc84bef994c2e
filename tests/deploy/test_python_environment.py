from deploy import python_environment


def test_pips_settings_are_read_the_way_pip_ranks_them():
    listing = (
        ":env:.index-url='https://env.example/simple'\n"
        "global.cert='/etc/ssl/own ca.pem'\n"
        "global.index-url='https://global.example/simple'\n"
        "install.index-url='https://install.example/simple'\n"
        "global.timeout='60'\n"
    )
    assert python_environment.parse_pip_settings(listing) == {
        "cert": "/etc/ssl/own ca.pem",
        "index-url": "https://env.example/simple",
        "timeout": "60",
    }


def test_no_settings_are_no_settings():
    assert python_environment.parse_pip_settings("") == {}
