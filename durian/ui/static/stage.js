/* The stage: a picture with an SVG drawing over it. One class serves three places:
   "portrait" (faces and crop), "mask" (clicks, brush, zoom) and "still" (the preview with placement handles).
   Every coordinate that leaves or enters is a pixel of the upright upload; CSS scales the picture. */
(() => {
  const NS = "http://www.w3.org/2000/svg";
  const MAX_ZOOM = 8;
  const TAP_PX = 5; // a pointer that moved less than this is a tap
  const images = new Map(); // image id -> data URL; the server sends each picture once
  const IMAGES_KEPT = 24;

  function node(name, attributes, parent) {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (parent) parent.appendChild(element);
    return element;
  }

  class Stage {
    constructor(element, trigger, props, kind) {
      this.root = element.querySelector(".stage");
      this.trigger = trigger;
      this.props = props;
      this.kind = kind;
      this.view = this.root.querySelector(".stage-view");
      this.world = this.root.querySelector(".stage-world");
      this.image = this.root.querySelector("img");
      this.svg = this.root.querySelector("svg");
      this.tool = "add";
      this.zoom = 1;
      this.panX = this.panY = 0;
      this.drag = null;
      this.serial = 0;
      this.listen();
      this.update();
      new ResizeObserver(() => this.fit()).observe(this.view);
    }

    get value() { return this.props.value || {}; }

    send(data) { this.trigger("edit", { ...data, serial: ++this.serial }); }

    /* ---- drawing ---- */
    update() {
      const value = this.value;
      if (this.placing) this.placed();
      const shown = Boolean(value.image_id);
      this.root.classList.toggle("is-empty", !shown);
      if (!shown) { this.current = null; this.svg.replaceChildren(); this.toolbar(); return; }
      if (value.image) {
        images.delete(value.image_id);
        images.set(value.image_id, value.image);
        if (images.size > IMAGES_KEPT) images.delete(images.keys().next().value);
      }
      const source = images.get(value.image_id);
      if (!source) { this.send({ kind: "resend" }); return; }
      if (this.current !== value.image_id) {
        const sameSize = this.width === value.width && this.height === value.height;
        this.current = value.image_id;
        this.image.src = source;
        if (!(sameSize && this.kind === "still")) { this.zoom = 1; this.panX = this.panY = 0; }
      }
      this.width = value.width; this.height = value.height;
      this.svg.setAttribute("viewBox", `-0.5 -0.5 ${this.width} ${this.height}`);
      this.fit();
      this.draw();
      this.toolbar();
    }

    fit() {
      if (!this.width || !this.current) return;
      const box = this.view.getBoundingClientRect();
      if (!box.width) return;
      const scale = Math.min(box.width / this.width, box.height / this.height);
      this.base = scale;
      const width = this.width * scale, height = this.height * scale;
      const limitX = Math.max(0, (width * this.zoom - box.width) / 2);
      const limitY = Math.max(0, (height * this.zoom - box.height) / 2);
      this.panX = Math.min(limitX, Math.max(-limitX, this.panX));
      this.panY = Math.min(limitY, Math.max(-limitY, this.panY));
      Object.assign(this.world.style, {
        width: `${width}px`, height: `${height}px`,
        left: `${(box.width - width) / 2}px`, top: `${(box.height - height) / 2}px`,
        transform: `translate(${this.panX}px, ${this.panY}px) scale(${this.zoom})`,
      });
      this.px = 1 / (scale * this.zoom); // picture pixels in one screen pixel
      this.root.classList.toggle("is-zoomed", this.zoom > 1.01);
    }

    draw() {
      this.svg.replaceChildren();
      if (this.kind === "portrait") this.drawPortrait();
      else if (this.kind === "mask") this.drawMask();
      else this.drawHandles();
    }

    label(x, y, text, className, radius = 9) {
      const group = node("g", { class: className }, this.svg);
      node("circle", { cx: x, cy: y, r: radius * this.px }, group);
      const words = node("text", { x, y, "font-size": 11 * this.px, "text-anchor": "middle", dy: "0.36em" }, group);
      words.textContent = text;
      return group;
    }

    drawPortrait() {
      const { faces = [], chosen = 0 } = this.value;
      const crop = this.drag?.crop || this.value.crop;
      const px = this.px;
      if (crop) {
        const [x, y, side] = crop, left = x - side / 2, top = y - side / 2;
        node("path", { class: "shade", "fill-rule": "evenodd",
          d: `M-0.5-0.5H${this.width}V${this.height}H-0.5Z M${left} ${top}h${side}v${side}h${-side}Z` }, this.svg);
        node("rect", { class: "crop", x: left, y: top, width: side, height: side }, this.svg);
        node("rect", { class: "grip crop-move", x: left, y: top, width: side, height: side, "data-grip": "move", "stroke-width": 22 * px }, this.svg);
        for (const [cx, cy] of [[left, top], [left + side, top], [left, top + side], [left + side, top + side]]) {
          node("circle", { class: "knob", cx, cy, r: 6 * px }, this.svg);
          node("circle", { class: "grip crop-size", cx, cy, r: 18 * px, "data-grip": "size" }, this.svg);
        }
      }
      faces.forEach(([x0, y0, x1, y1], index) => {
        const group = node("g", { class: index === chosen ? "face is-chosen" : "face", "data-face": index,
          tabindex: 0, role: "button", "aria-label": `Choose face ${index + 1}` }, this.svg);
        node("rect", { x: x0, y: y0, width: x1 - x0, height: y1 - y0, rx: 6 * px }, group);
        if (faces.length > 1) this.svg.appendChild(group), group.appendChild(this.label(x0, y0, index + 1, "face-number", 11));
      });
    }

    drawMask() {
      const { path = "", points = [] } = this.value;
      node("path", { class: "mask-fill", d: path, "fill-rule": "evenodd" }, this.svg);
      node("path", { class: "mask-edge-dark", d: path }, this.svg);
      node("path", { class: "mask-edge", d: path }, this.svg);
      const pending = (this.pending || []).map((p) => [...p, true]);
      [...points, ...pending].forEach(([x, y, positive], index) => {
        this.label(x, y, index + 1, `dot ${positive ? "is-add" : "is-remove"}`);
      });
      if (this.drag?.stroke) this.drawStroke();
    }

    drawStroke() {
      const d = "M" + this.drag.stroke.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L") + "l0.01 0";
      this.strokeNode?.remove();
      this.strokeNode = node("path", { class: `stroke is-${this.tool}`, d, "stroke-width": 2 * this.radius() }, this.svg);
    }

    /* The item's box follows the pointer at once; the picture follows when the server has drawn it. */
    drawHandles() {
      const box = this.drag?.box || this.value.box;
      if (!box || !this.value.handles) return;
      const { x, y, width, height, angle, scale } = box, px = this.px;
      const group = node("g", { class: "handles", transform: `translate(${x} ${y}) rotate(${angle})` }, this.svg);
      const w = width * scale, h = height * scale;
      node("rect", { class: "item", x: -w / 2, y: -h / 2, width: w, height: h, rx: 4 * px }, group);
      node("rect", { class: "grip item-move", x: -w / 2, y: -h / 2, width: w, height: h, "data-grip": "place-move" }, group);
      // A hat at the picture's upper edge leaves no room above it.
      const side = y - h / 2 - 30 * px > 0 ? -1 : 1, turn = side * (h / 2 + 22 * px);
      node("line", { class: "stem", x1: 0, y1: side * h / 2, x2: 0, y2: turn }, group);
      node("circle", { class: "knob", cx: 0, cy: turn, r: 6 * px }, group);
      node("circle", { class: "grip item-turn", cx: 0, cy: turn, r: 16 * px, "data-grip": "place-turn" }, group);
      node("circle", { class: "knob", cx: w / 2, cy: h / 2, r: 6 * px }, group);
      node("circle", { class: "grip item-size", cx: w / 2, cy: h / 2, r: 16 * px, "data-grip": "place-size" }, group);
    }

    toolbar() {
      const value = this.value;
      this.root.querySelectorAll("[data-tool]").forEach((button) =>
        button.setAttribute("aria-pressed", String(button.dataset.tool === this.tool)));
      this.root.querySelectorAll("[data-start]").forEach((button) => {
        button.setAttribute("aria-pressed", String(button.dataset.start === value.name));
        button.disabled = !value.image_id;
      });
      for (const action of ["undo", "redo", "clear"]) {
        const button = this.root.querySelector(`[data-do="${action}"]`);
        if (button) button.disabled = !(value.can || []).includes(action);
      }
      const note = this.root.querySelector(".stage-note");
      if (note) { note.textContent = value.note || ""; note.hidden = !value.note; }
      this.root.dataset.tool = this.kind === "mask" ? this.tool : "";
      this.root.dataset.revision = value.revision ?? "";
    }

    /* ---- pointer ---- */
    position(event) {
      const box = this.svg.getBoundingClientRect();
      return [
        (event.clientX - box.left) / box.width * this.width - 0.5,
        (event.clientY - box.top) / box.height * this.height - 0.5,
      ];
    }

    radius() { return Number(this.root.querySelector(".brush-size")?.value || 18) * this.px * this.zoom; }

    listen() {
      this.svg.addEventListener("pointerdown", (event) => this.down(event));
      this.svg.addEventListener("pointermove", (event) => this.move(event));
      this.svg.addEventListener("pointerup", (event) => this.up(event));
      this.svg.addEventListener("pointercancel", () => { this.drag = null; this.draw(); });
      this.svg.addEventListener("keydown", (event) => {
        const face = event.target.closest("[data-face]");
        if (face && ["Enter", " "].includes(event.key)) { event.preventDefault(); this.send({ kind: "face", index: Number(face.dataset.face) }); }
      });
      this.view.addEventListener("wheel", (event) => {
        if (this.kind !== "mask" || !(event.ctrlKey || event.metaKey || this.zoom > 1.01)) return;
        event.preventDefault();
        this.zoomAt(this.zoom * Math.exp(-event.deltaY / 300), event);
      }, { passive: false });
      this.root.addEventListener("click", (event) => {
        const button = event.target.closest("button");
        if (!button) return;
        const { tool, start, zoom, pick } = button.dataset, action = button.dataset.do;
        if (tool) { this.tool = tool; this.toolbar(); }
        else if (start) this.send({ kind: "start", name: start });
        else if (zoom) zoom === "fit" ? this.zoomAt(1) : this.zoomAt(this.zoom * (zoom === "in" ? 1.6 : 1 / 1.6));
        else if (action) this.send({ kind: action });
        else if (pick) document.querySelector(`${pick} button, button${pick}, ${pick} input`)?.click();
      });
      const takes = this.root.dataset.drop;
      if (!takes) return;
      for (const name of ["dragenter", "dragover"]) this.root.addEventListener(name, (event) => {
        event.preventDefault(); this.root.classList.add("is-over");
      });
      for (const name of ["dragleave", "drop"]) this.root.addEventListener(name, () => this.root.classList.remove("is-over"));
      this.root.addEventListener("drop", (event) => { event.preventDefault(); hand(takes, event.dataTransfer.files); });
      this.root.addEventListener("paste", (event) => hand(takes, event.clipboardData.files));
    }

    zoomAt(zoom, event) {
      const next = Math.min(MAX_ZOOM, Math.max(1, zoom)), ratio = next / this.zoom;
      const box = this.view.getBoundingClientRect();
      const x = event ? event.clientX - box.left - box.width / 2 : 0, y = event ? event.clientY - box.top - box.height / 2 : 0;
      this.panX = x - (x - this.panX) * ratio;
      this.panY = y - (y - this.panY) * ratio;
      this.zoom = next;
      this.fit(); this.draw();
    }

    down(event) {
      if (event.button || !this.current) return;
      const [x, y] = this.position(event);
      const grip = event.target.dataset?.grip;
      this.drag = { x, y, clientX: event.clientX, clientY: event.clientY, panX: this.panX, panY: this.panY, grip, moved: false,
        crop0: this.value.crop, box0: this.value.box && { ...this.value.box } };
      if (this.kind === "mask" && ["paint", "rub"].includes(this.tool)) { this.drag.stroke = [[x, y]]; this.drawStroke(); }
      if (grip || this.drag.stroke || this.zoom > 1.01) { this.svg.setPointerCapture(event.pointerId); event.preventDefault(); }
    }

    move(event) {
      const drag = this.drag;
      if (!drag) return;
      const [x, y] = this.position(event);
      const far = Math.hypot(event.clientX - drag.clientX, event.clientY - drag.clientY);
      drag.moved ||= far > TAP_PX;
      if (drag.stroke) { drag.stroke.push([x, y]); this.drawStroke(); return; }
      if (!drag.moved) return;
      if (drag.grip?.startsWith("place")) return this.place(x, y);
      if (drag.grip === "move" || drag.grip === "size") {
        const [cx, cy, side] = drag.crop0;
        drag.crop = drag.grip === "move"
          ? [cx + x - drag.x, cy + y - drag.y, side]
          : [cx, cy, Math.max(24, 2 * Math.max(Math.abs(x - cx), Math.abs(y - cy)))];
        this.draw();
      } else if (this.zoom > 1.01) {
        this.panX = drag.panX + event.clientX - drag.clientX;
        this.panY = drag.panY + event.clientY - drag.clientY;
        this.fit();
      }
    }

    place(x, y) {
      // From where the drag began: answers to its first part arrive while it goes on.
      const drag = this.drag, box = drag.box0, eye = this.value.eye;
      const start = { ...box };
      if (drag.grip === "place-move") { start.x += x - drag.x; start.y += y - drag.y; }
      if (drag.grip === "place-size")
        start.scale = Math.min(3, Math.max(0.3, box.scale * Math.hypot(x - box.x, y - box.y) / Math.hypot(drag.x - box.x, drag.y - box.y)));
      if (drag.grip === "place-turn") {
        const turn = (Math.atan2(y - box.y, x - box.x) - Math.atan2(drag.y - box.y, drag.x - box.x)) * 180 / Math.PI;
        start.angle = Math.min(180, Math.max(-180, ((box.angle + turn + 540) % 360) - 180));
      }
      drag.box = start;
      this.draw();
      this.sendPlace(start, eye);
    }

    /* One at a time, and then the newest: Gradio's own "always_last" forgets what a deferred event carried. */
    sendPlace(box, eye) {
      if (this.placing) { this.next = [box, eye]; return; }
      this.placing = setTimeout(() => this.placed(), 2000);
      this.send({ kind: "place", item: this.value.item, dx: (box.x - this.value.box.home_x) / eye,
        dy: (box.y - this.value.box.home_y) / eye, scale: box.scale, angle: box.angle });
    }

    placed() {
      clearTimeout(this.placing);
      this.placing = null;
      const next = this.next;
      this.next = null;
      if (next) this.sendPlace(...next);
    }

    up(event) {
      const drag = this.drag;
      this.drag = null;
      if (!drag) return;
      const [x, y] = this.position(event);
      if (drag.stroke) this.send({ kind: "stroke", paint: this.tool === "paint", radius: this.radius(), points: drag.stroke });
      else if (drag.crop) this.send({ kind: "crop", x: drag.crop[0], y: drag.crop[1], side: drag.crop[2] });
      else if (drag.box) this.sendPlace(drag.box, this.value.eye);
      else if (!drag.moved && this.kind === "portrait") this.tapFace(x, y);
      else if (!drag.moved && this.kind === "mask") {
        const positive = this.tool !== "remove" && !event.altKey;
        this.label(x, y, (this.value.points || []).length + 1, `dot ${positive ? "is-add" : "is-remove"}`);
        this.send({ kind: "click", x, y, positive });
      }
    }

    tapFace(x, y) {
      const hits = (this.value.faces || []).map((box, index) => [box, index])
        .filter(([[x0, y0, x1, y1]]) => x >= x0 && x <= x1 && y >= y0 && y <= y1);
      if (hits.length) this.send({ kind: "face", index: hits[hits.length - 1][1] });
    }
  }

  /* Gives dropped or pasted files to an upload button, so that they take the same checked way in. */
  function hand(selector, files) {
    if (!files || !files.length) return;
    // A bundle means the whole table, wherever it is dropped.
    const host = document.querySelector(/\.zip$/i.test(files[0].name) ? "#restore" : selector);
    const input = host?.matches?.("input") ? host : host?.previousElementSibling;
    if (!input) return;
    const transfer = new DataTransfer();
    transfer.items.add(files[0]);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => {
    const files = event.dataTransfer?.files;
    if (event.defaultPrevented || !event.dataTransfer?.types?.includes("Files") || event.target.closest?.("input, .gradio-container [data-testid$='upload']")) return;
    event.preventDefault();
    if (name === "drop" && files?.length && /\.zip$/i.test(files[0].name)) hand("#restore", files);
  });

  window.durianStage = (element, trigger, props, watch, kind) => {
    const stage = new Stage(element, trigger, props, kind);
    watch("value", () => stage.update());
  };
})();
