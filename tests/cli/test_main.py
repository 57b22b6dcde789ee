def test_help_lists_the_commands(cli):
    ran = cli("--help")
    assert ran.code == 0
    for name in ("predict", "models", "info", "data", "doctor"):
        assert name in ran.out


def test_version(cli):
    import yolopv2

    assert cli("--version") == (0, f"{yolopv2.__version__}\n", "")


def test_an_unknown_command_is_wrong_usage(cli):
    ran = cli("predcit")
    assert ran.code == 2
    assert "predcit" in ran.err
