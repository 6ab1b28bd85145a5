// Pages opened from a folder: browsers start no workers there. The script of the search runs in a hidden frame instead.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = Object.assign(document.createElement("iframe"), { hidden: true, title: "search" });
      document.body.append(frame);
      frame.contentDocument.open();
      frame.contentDocument.write("<!doctype html><title>search</title><body></body>");
      frame.contentDocument.close();
      this.inside = frame.contentWindow;
      const load = (url) => new Promise((done, failed) => {
        const script = Object.assign(frame.contentDocument.createElement("script"), { src: url, onload: done, onerror: failed });
        frame.contentDocument.body.append(script);
      });
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside.importScripts = (...urls) => urls.reduce((before, url) => before.then(() => load(url)), Promise.resolve());
      this.ready = load(address);
    }
    postMessage(data) {
      this.ready.then(() => this.inside.dispatchEvent(new MessageEvent("message", { data })));
    }
    terminate() {}
  };
}
