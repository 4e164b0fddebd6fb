"""The Steer dock: choose a picture, set its colours, see them at once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QPushButton, QTabWidget, QVBoxLayout, QWidget

from napari_colorize.color.steering import Steering
from napari_colorize.docks.errand import run_errand
from napari_colorize.docks.field_note import FieldNote
from napari_colorize.docks.life import Life
from napari_colorize.docks.scroll import LEAST_HEIGHT, scrolled
from napari_colorize.docks.steering.panels.adjust_panel import AdjustPanel
from napari_colorize.docks.steering.panels.doubt_panel import DoubtPanel
from napari_colorize.docks.steering.panels.hints_panel import HintsPanel
from napari_colorize.docks.steering.panels.reference_panel import ReferencePanel
from napari_colorize.docks.steering.panels.steering_foot import SteeringFoot
from napari_colorize.docks.steering.panels.versions_panel import VersionsPanel
from napari_colorize.docks.steering.picture_choice import PictureChoice
from napari_colorize.docks.steering.session.result import cover_of
from napari_colorize.docks.steering.stack_row import StackRow
from napari_colorize.docks.steering.steered import Steered
from napari_colorize.errors import ColorizeError
from napari_colorize.files.record import read_record

if TYPE_CHECKING:
    import napari
    from napari.layers import Image
    from qtpy.QtGui import QShowEvent

_INVITATION = (
    "Start adds a layer in colour above the picture. It follows what you do here; the picture "
    "itself stays as it is."
)
_HAS_RECORD = (
    "This picture was coloured and saved here before. File > IO Utilities > Open a coloured "
    "picture… brings its hints and settings back."
)
_COVERED = (
    "'{}' lies over this picture: switch its eye off in the list of layers to see the colours."
)
_LOOKING = "The network is looking at the picture…"


class SteerDock(QWidget):
    """Picture, panels and foot; what is steered lives from Start until another is chosen.

    While nothing is steered the picture follows napari's selection. From then on only the combo
    box changes it: clicking a layer to look at it is no wish to begin with another.

    Parameters
    ----------
    viewer
        The viewer that the dock belongs to.
    """

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._life = Life(self)
        self._steered: Steered | None = None
        self._was_docked = False
        self._make_parts()
        self._lay_out()
        self._listen()
        self._update()

    @property
    def steered(self) -> Steered | None:
        """What is steered, None before the start."""
        return self._steered

    def steer(self, layer: Image | None = None, steering: Steering | None = None) -> None:
        """Begin with a picture, the chosen one if none is said.

        Parameters
        ----------
        layer : napari.layers.Image, optional
            The picture.
        steering : Steering, optional
            What is wanted of it; without it what was kept of the picture comes back.
        """
        if layer is not None:
            self.choice.choose(layer)
        self.stop()
        picture, model = self.choice.chosen, self.choice.chosen_model
        if picture is None or model is None:
            self._update()
            return
        try:
            device = self.choice.device.currentText()
            self._steered = Steered(self._viewer, picture, model, device, steering)
        except ColorizeError as error:
            self.note.tell(str(error))
            return
        self._attach(self._steered)
        self._update()
        cover = cover_of(self._viewer, self._steered.session.layer)
        if cover is not None:
            self.foot.state.tell(_COVERED.format(cover.name))
        path = picture.source.path
        if path is not None:
            told = partial(self._tell_of_record, self._steered)
            run_errand(partial(read_record, path), told, lambda _: None)

    def stop(self) -> None:
        """End what is steered; its layers stay, and its hints are kept."""
        steered, self._steered = self._steered, None
        if steered is None:
            return
        for panel in (*self.panels, self.foot, self.stack):
            panel.detach()
        self.destroyed.disconnect(steered.close)
        steered.session.ended.disconnect(self._hear_end)
        steered.close()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Read the list of models anew."""
        super().showEvent(event)
        self.choice.list_models()
        self._update()

    def event(self, event: QEvent | None) -> bool:
        """End what is steered when napari takes the dock out of its window."""
        if event is not None and event.type() == QEvent.Type.ParentChange:
            if self.parentWidget() is None and self._was_docked:
                self.stop()
                self._update()
            self._was_docked = self.parentWidget() is not None
        return super().event(event)

    def _make_parts(self) -> None:
        self.choice = PictureChoice(self._viewer)
        self.start = QPushButton("Start")
        self.start.setToolTip("Colour the picture and set its colours from then on.")
        self.invitation = FieldNote("aside")
        self.note = FieldNote()
        self.hints = HintsPanel(self._viewer)
        self.adjust = AdjustPanel(self._viewer)
        self.reference = ReferencePanel(self._viewer)
        self.versions = VersionsPanel(self._viewer)
        self.doubt = DoubtPanel(self._viewer)
        self.panels = (self.hints, self.adjust, self.reference, self.versions, self.doubt)
        self.foot = SteeringFoot(self._viewer)
        self.foot.bind_keys(self)
        self.stack = StackRow(self._viewer)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        bar = self.tabs.tabBar()
        if bar is not None:
            bar.setDrawBase(False)  # napari's theme leaves it white
        for panel, title, tooltip in (
            (self.hints, "Hints", "Say which colour a thing has: click it, or paint it."),
            (self.adjust, "Adjust", "Vividness, chroma, warmth, hue: at once."),
            (self.reference, "Reference", "Another picture sets the mood."),
            (self.versions, "Versions", "Several ways the picture may have looked."),
            (self.doubt, "Doubt", "Where the model guesses, and where a hint helps most."),
        ):
            self.tabs.setTabToolTip(self.tabs.addTab(scrolled(panel), title), tooltip)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        beginning = QVBoxLayout()
        beginning.setContentsMargins(6, 0, 6, 0)
        for part in (self.note, self.start, self.invitation):
            beginning.addWidget(part)
        layout.addLayout(beginning)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.foot)
        layout.addWidget(self.stack)
        self.setMinimumHeight(LEAST_HEIGHT)

    def _listen(self) -> None:
        self.start.clicked.connect(lambda: self.steer())
        self.choice.picture_chosen.connect(self._hear_picture)
        self.choice.means_chosen.connect(self._begin_again)
        self.foot.saved.connect(self._keep_beside)
        self._viewer.layers.selection.events.active.connect(self._hear_selection)

    def _attach(self, steered: Steered) -> None:
        session = steered.session
        self.destroyed.connect(steered.close)
        session.ended.connect(self._hear_end)
        session.noted.connect(self._hear_note)
        session.ready.connect(self._hear_look)
        session.failed.connect(self._hear_look)
        steered.kept.came_back.connect(self._hear_note)
        steered.kept.problem_changed.connect(self._hear_problem)
        self.hints.attach(session, steered.hint_layers)
        for panel in (
            self.adjust,
            self.reference,
            self.versions,
            self.doubt,
            self.foot,
            self.stack,
        ):
            panel.attach(session)
        if not session.is_ready:
            self.foot.state.tell(_LOOKING)

    def _update(self) -> None:
        """Offer Start while nothing is steered, or say why it cannot be pressed."""
        running = self._steered is not None
        reason = ""
        if self.choice.chosen is None:
            reason = "There is no picture to colour: open one, or File > Open Sample > Colorize."
        elif self.choice.chosen_model is None:
            reason = "There is no model that can be steered: train one or import one (palette)."
        self.start.setVisible(not running)
        self.start.setEnabled(not reason)
        self.invitation.tell("" if running or reason else _INVITATION)
        self.note.tell("" if running else reason)
        self.tabs.setEnabled(running)
        self.foot.setVisible(running)

    def _hear_picture(self) -> None:
        """Go on with another picture if one was steered and not deleted, else wait for Start."""
        if self._life.over:
            return
        steered = self._steered
        if steered is not None and steered.session.layer in self._viewer.layers:
            self.steer()
        self._update()

    def _begin_again(self) -> None:
        if self._steered is not None:
            self.steer()

    def _hear_selection(self, _: Any = None) -> None:
        if not self._life.over and self._steered is None:
            self.choice.follow_selection()

    def _hear_end(self) -> None:
        """Take leave of a session that ended by itself: its picture has left the viewer."""
        if not self._life.over:
            farewell = self.foot.state.told()
            self.stop()
            self._update()
            if not self.note.told():
                self.note.tell(farewell)

    def _hear_look(self, _: str = "") -> None:
        """Wait for the network no more: it has looked, or it cannot."""
        if not self._life.over and self.foot.state.told() == _LOOKING:
            self.foot.state.tell("")

    def _hear_note(self, text: str) -> None:
        if not self._life.over and self._steered is not None:
            self.foot.state.tell(text)

    def _hear_problem(self, text: str) -> None:
        if not self._life.over and self._steered is not None:
            self.note.tell(text)

    def _tell_of_record(self, steered: Steered, record: dict[str, Any] | None) -> None:
        """Say how a picture that was saved from here comes back with all that made it."""
        if record is not None and not self._life.over and self._steered is steered:
            self.foot.state.tell(_HAS_RECORD)

    def _keep_beside(self, path: Any) -> None:
        if self._steered is not None:
            self._steered.kept.keep_beside(path)
