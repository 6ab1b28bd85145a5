"""The noise of a CrossSim device: methods that draw from the tables of `levels`, as written, as drift, and at reads."""


def methods() -> list[str]:
    """Lines of the class."""
    return [
        "    verified = False  # True: levels are written and verified, and scatter by what comes after alone",
        "    random = np.random.default_rng(0)",
        "",
        "    def at(self, table, G, time):",
        '        """Values of a table at conductances (in Gmax) and a time."""',
        "        ln_t = np.log(np.maximum(time, TIMES[0]))",
        "        by_level = [np.interp(ln_t, np.log(TIMES), row) for row in table]",
        "        return np.interp(np.log(np.maximum(G, 1e-300) * GMAX), np.log(LEVELS), by_level)",
        "",
        "    def drift_error(self, input_, time):",
        '        """Conductances (in Gmax) a time [s] after the last pulse."""',
        "        sigma = self.at(SIGMA_VERIFIED if self.verified else SIGMA, input_, time)",
        "        x = self.random.standard_normal(np.shape(input_))",
        "        return input_ * np.exp(self.at(SHIFT, input_, time) + sigma * x)",
        "",
        "    def programming_error(self, input_):",
        '        """Conductances (in Gmax) as written."""',
        "        return self.drift_error(input_, TIMES[0])",
        "",
        "    def read_noise(self, input_):",
        '        """Conductances (in Gmax) as one read of 1 us has them."""',
        "        sigma = np.interp(np.log(np.maximum(input_, 1e-300) * GMAX), np.log(LEVELS), READ)",
        "        return input_ * np.exp(sigma * self.random.standard_normal(np.shape(input_)))",
        "",
    ]
