"""Words by which pages of many languages name the same things: data for the model and the labelling rules.

Written for this project. A model has learned what follows from each kind of term
(:mod:`boilerplate_ds.features.term_codes`), so the format of models changes with this table. Rules read every
page with the terms of its own language and of English, which sites of every country mix into their own. Each
entry is a list of phrases parted by ``|``, in lower case.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

ENGLISH = "en"

TERMS: dict[str, dict[str, str]] = {
    "en": {
        "menu": (
            "menu|home|search|log in|login|log out|sign in|sign up|register|my account|account"
            "|contact|contact us|about|about us|help|faq|sitemap|site map|back to top|top|close|open"
            "|next|previous|prev|back|skip to content|skip to main content|skip to navigation"
            "|skip navigation|toggle navigation|main menu|language|languages|filter|sort by|cart"
            "|basket|wishlist|add to cart|show more|load more|view all|jobs|careers|advertise|rss"
            "|submit|go|loading|table of contents|contents|tags|categories|archives|read more"
            "|learn more|jump to content|jump to navigation"
        ),
        "legal": (
            "privacy|privacy policy|terms of use|terms of service|terms and conditions"
            "|terms & conditions|cookie policy|cookies|cookie settings|imprint|legal notice"
            "|disclaimer|accessibility statement|do not sell my personal information"
        ),
        "rights": "all rights reserved|copyright",
        "share": (
            "share|share this|share this article|share on facebook|share on twitter|tweet|print|email"
            "|e-mail|email this article|copy link|follow us|like|pin it|save|bookmark|send"
            "|facebook|twitter|x|linkedin|instagram|youtube|pinterest|whatsapp|telegram|reddit|tumblr"
            "|tiktok|xing|flipboard|snapchat|mastodon|bluesky|threads|messenger|pocket|vimeo|flickr|vk"
            "|line|weibo|wechat|discord|twitch|google+"
        ),
        "comment": (
            "comment|comments|no comments|reply|report|leave a comment|leave a reply|post a comment"
            "|add a comment|view comments|show comments|quote|permalink|cancel reply|likes|views"
            "|replies|upvote|vote"
        ),
        "ad": (
            "advertisement|advertisements|advertising|ad|ads|sponsored|sponsored content"
            "|sponsored links|promoted|paid content|paid post|promotion"
        ),
        "pitch": (
            "subscribe|newsletter|free trial|donate|donation|become a member|sign up for|sign up to"
            "|join now|join us|buy now|shop now|order now|special offer|download our app|get the app"
            "|download the app|promo code|coupon|discount|support our work|unlimited access"
            "|affiliate commission|try it free|book a demo|get started"
        ),
        "related": (
            "related|related articles|related posts|related stories|related content|related news"
            "|related topics|related products|read more|read also|read next|also read|see also"
            "|more from|more on|more in|more stories|more news|most read|most popular|popular posts"
            "|popular|trending|trending now|recommended|recommended for you|recent posts"
            "|recent articles|recent comments|latest news|latest posts|latest articles|latest"
            "|latest stories|top stories|you may also like|you might also like|you may like"
            "|don't miss|editor's picks|editors' picks|up next|similar threads|similar articles"
            "|next article|previous article|further reading|what to read next|in other news"
        ),
        "byline": (
            "by|published|updated|last updated|posted|posted by|posted on|written by|min read"
            "|minute read|photo|photograph|image|source|credit"
        ),
    },
    "de": {
        "menu": (
            "menü|startseite|home|suche|suchen|anmelden|einloggen|login|abmelden|registrieren"
            "|mein konto|konto|kontakt|über uns|hilfe|faq|sitemap|nach oben|zum seitenanfang"
            "|seitenanfang|schließen|öffnen|weiter|zurück|vor|nächste|vorherige|zum inhalt"
            "|zum inhalt springen|direkt zum inhalt|zur navigation|navigation|hauptmenü|sprache"
            "|filter|sortieren nach|warenkorb|merkzettel|merkliste|in den warenkorb|mehr anzeigen"
            "|alle anzeigen|jobs|karriere|mediadaten|werben|absenden|inhalt|inhaltsverzeichnis"
            "|schlagwörter|kategorien|archiv|mehr erfahren|übersicht|themen|menü öffnen"
        ),
        "legal": (
            "datenschutz|datenschutzerklärung|impressum|agb|nutzungsbedingungen|cookies"
            "|cookie-einstellungen|haftungsausschluss|widerrufsrecht|barrierefreiheit"
            "|privatsphäre-einstellungen|datenschutzhinweise"
        ),
        "rights": "alle rechte vorbehalten|copyright",
        "share": (
            "teilen|artikel teilen|auf facebook teilen|twittern|drucken|seite drucken|e-mail"
            "|per e-mail|link kopieren|folgen sie uns|folge uns|gefällt mir|merken|versenden"
            "|weiterempfehlen|artikel drucken"
        ),
        "comment": (
            "kommentar|kommentare|keine kommentare|antworten|melden|kommentar schreiben|kommentieren"
            "|zitieren|schreibe einen kommentar|antwort abbrechen|alle kommentare|kommentar verfassen"
            "|beitrag melden"
        ),
        "ad": "anzeige|anzeigen|werbung|gesponsert|sponsored|advertorial|promotion|bezahlter inhalt",
        "pitch": (
            "abonnieren|newsletter|kostenlos testen|gratis testen|probeabo|jetzt spenden|spenden sie"
            "|spende|mitglied werden|jetzt kaufen|jetzt bestellen|zum angebot|zum shop|angebot"
            "|app herunterladen|gutschein|rabatt|jetzt lesen mit|unterstützen sie uns|jetzt anmelden"
            "|provision|jetzt sichern|jetzt registrieren|abo"
        ),
        "related": (
            "mehr zum thema|zum thema|lesen sie auch|lesen sie mehr|auch interessant"
            "|das könnte sie auch interessieren|das könnte dich auch interessieren|weitere artikel"
            "|weitere nachrichten|weitere beiträge|ähnliche artikel|ähnliche beiträge|ähnliche themen"
            "|verwandte artikel|verwandte beiträge|verwandte themen|meistgelesen"
            "|meistgelesene artikel|beliebte artikel|beliebte beiträge|beliebt|neueste beiträge"
            "|neueste artikel|neueste kommentare|aktuelle beiträge|aktuelle nachrichten"
            "|letzte beiträge|mehr aus|mehr von|mehr zu|siehe auch|weiterlesen|nicht verpassen"
            "|empfehlungen|nächster artikel|nächster beitrag|vorheriger beitrag|top-themen|lesetipps"
            "|passend dazu|links zum artikel|neuste artikel"
        ),
        "byline": (
            "von|veröffentlicht|aktualisiert|stand|geschrieben von|autor|foto|bild|quelle|lesezeit"
            "|min lesezeit"
        ),
    },
    "es": {
        "menu": (
            "menú|inicio|buscar|búsqueda|iniciar sesión|entrar|cerrar sesión|registrarse|registro"
            "|regístrate|mi cuenta|contacto|contactar|quiénes somos|sobre nosotros|ayuda"
            "|preguntas frecuentes|mapa del sitio|mapa web|volver arriba|subir|cerrar|abrir|siguiente"
            "|anterior|atrás|saltar al contenido|ir al contenido|idioma|filtrar|ordenar por|carrito"
            "|añadir al carrito|ver más|ver todo|cargar más|trabaja con nosotros|publicidad en|enviar"
            "|índice|etiquetas|categorías|archivo|archivos|secciones|portada|hemeroteca"
        ),
        "legal": (
            "política de privacidad|privacidad|aviso legal|términos y condiciones|condiciones de uso"
            "|términos de uso|política de cookies|cookies|configuración de cookies"
            "|protección de datos"
        ),
        "rights": "todos los derechos reservados|copyright|derechos reservados",
        "share": (
            "compartir|compartir en facebook|compartir en twitter|tuitear|twittear|imprimir"
            "|correo electrónico|enviar por email|copiar enlace|síguenos|síguenos en|me gusta|guardar"
            "|comparte"
        ),
        "comment": (
            "comentario|comentarios|sin comentarios|responder|reportar|denunciar|deja un comentario"
            "|deja una respuesta|comentar|citar|añadir comentario|ver comentarios|cancelar respuesta"
            "|no hay comentarios"
        ),
        "ad": (
            "publicidad|anuncio|anuncios|patrocinado|contenido patrocinado|promocionado"
            "|contenido promocionado|publirreportaje"
        ),
        "pitch": (
            "suscríbete|suscribirse|suscripción|suscribirme|boletín|newsletter|prueba gratis|dona"
            "|donar|hazte socio|únete|comprar ahora|compra ahora|oferta|descarga la app"
            "|descarga nuestra app|cupón|descuento|apóyanos|acceso ilimitado"
        ),
        "related": (
            "noticias relacionadas|artículos relacionados|relacionados|relacionado|te puede interesar"
            "|te podría interesar|también te puede interesar|quizás te interese|lee también"
            "|leer también|lea también|leer más|lee más|ver también|véase también|más sobre"
            "|más noticias|más en|más de|lo más leído|lo más visto|las más leídas|más leídas"
            "|más leídos|más visto|últimas noticias|lo último|últimas entradas|entradas recientes"
            "|comentarios recientes|entradas relacionadas|recomendamos|recomendados|destacados"
            "|no te pierdas|siguiente artículo|artículo anterior|entrada anterior|entrada siguiente"
            "|tendencias|además|otras noticias|temas relacionados|artículos recientes"
        ),
        "byline": (
            "por|publicado|publicado por|publicado el|actualizado|escrito por|foto|imagen|fuente"
            "|redacción|min de lectura"
        ),
    },
    "fr": {
        "menu": (
            "menu|accueil|rechercher|recherche|connexion|se connecter|déconnexion|s'inscrire"
            "|inscription|mon compte|contact|contactez-nous|nous contacter|à propos|qui sommes-nous"
            "|aide|faq|plan du site|haut de page|retour en haut|fermer|ouvrir|suivant|précédent"
            "|retour|aller au contenu|passer au contenu|aller au menu|langue|filtrer|trier par|panier"
            "|ajouter au panier|voir plus|voir tout|afficher plus|recrutement|emploi|envoyer|valider"
            "|sommaire|étiquettes|catégories|archives|en savoir plus|newsletters|rubriques|flux rss"
        ),
        "legal": (
            "politique de confidentialité|confidentialité|mentions légales|conditions générales|cgu"
            "|cgv|conditions d'utilisation|données personnelles|cookies|gestion des cookies"
            "|gérer mes cookies|vie privée"
        ),
        "rights": "tous droits réservés|copyright|tous les droits réservés",
        "share": (
            "partager|partager sur facebook|partager sur twitter|tweeter|imprimer|envoyer par email"
            "|envoyer par mail|e-mail|copier le lien|suivez-nous|j'aime|enregistrer|partagez"
            "|partager cet article|envoyer à un ami"
        ),
        "comment": (
            "commentaire|commentaires|aucun commentaire|répondre|signaler|laisser un commentaire"
            "|poster un commentaire|ajouter un commentaire|commenter|citer|réagir|réactions"
            "|annuler la réponse|voir les commentaires"
        ),
        "ad": ("publicité|annonce|annonces|sponsorisé|contenu sponsorisé|pub|publi-rédactionnel|partenaires"),
        "pitch": (
            "abonnez-vous|s'abonner|je m'abonne|abonnement|newsletter|essai gratuit|faire un don|don"
            "|devenir membre|adhérer|acheter|commander|offre|téléchargez l'application|code promo"
            "|réduction|soutenez|accès illimité|inscrivez-vous|profitez"
        ),
        "related": (
            "à lire aussi|lire aussi|lire la suite|à lire|sur le même sujet|sur le même thème"
            "|articles similaires|articles liés|articles récents|articles associés|voir aussi"
            "|en savoir plus sur|plus d'articles|plus d'infos|les plus lus|les plus lues"
            "|les plus populaires|plus lus|le plus lu|populaires|tendances|à la une"
            "|dernières actualités|derniers articles|commentaires récents|les dernières actualités"
            "|nos recommandations|recommandés|vous aimerez aussi|vous pourriez aimer|à ne pas manquer"
            "|à découvrir|article suivant|article précédent|dans la même rubrique"
            "|dans la même catégorie|et aussi"
        ),
        "byline": (
            "par|publié|publié le|publié par|mis à jour|écrit par|modifié le|photo|image|source"
            "|crédit|temps de lecture"
        ),
    },
    "it": {
        "menu": (
            "menu|home|cerca|ricerca|accedi|login|esci|registrati|il mio account|contatti|contattaci"
            "|chi siamo|aiuto|faq|mappa del sito|torna su|torna all'inizio|chiudi|apri|successivo"
            "|precedente|avanti|indietro|vai al contenuto|salta al contenuto|lingua|filtra|ordina per"
            "|carrello|aggiungi al carrello|mostra altro|vedi tutto|lavora con noi|invia|indice|tag"
            "|etichette|categorie|archivio|archivi|scopri di più|sezioni"
        ),
        "legal": (
            "privacy|privacy policy|informativa sulla privacy|termini e condizioni|condizioni d'uso"
            "|termini di servizio|note legali|cookie policy|cookie|informativa sui cookie"
            "|preferenze cookie"
        ),
        "rights": "tutti i diritti riservati|copyright|riproduzione riservata",
        "share": (
            "condividi|condividi su facebook|condividi su twitter|twitta|stampa|invia per email"
            "|copia link|seguici|mi piace|salva"
        ),
        "comment": (
            "commento|commenti|nessun commento|rispondi|segnala|lascia un commento"
            "|lascia una risposta|commenta|cita|annulla risposta|scrivi un commento|invia commento"
        ),
        "ad": "pubblicità|annuncio|annunci|sponsorizzato|contenuto sponsorizzato|messaggio promozionale",
        "pitch": (
            "abbonati|abbonamento|iscriviti|newsletter|prova gratis|dona|donazione|sostienici"
            "|diventa socio|acquista|compra ora|ordina ora|offerta|scarica l'app|coupon|sconto"
            "|buono sconto"
        ),
        "related": (
            "leggi anche|potrebbe interessarti|potrebbe interessarti anche|potrebbero interessarti"
            "|articoli correlati|correlati|notizie correlate|articoli simili|vedi anche"
            "|altri articoli|altre notizie|altro da|i più letti|più letti|più popolari|le più lette"
            "|ultime notizie|articoli recenti|ultimi articoli|commenti recenti|consigliati"
            "|da non perdere|in evidenza|articolo successivo|articolo precedente|approfondimenti"
            "|tendenze|continua a leggere"
        ),
        "byline": (
            "di|pubblicato|pubblicato il|aggiornato|ultimo aggiornamento|scritto da|a cura di|foto"
            "|fonte|immagine"
        ),
    },
    "pt": {
        "menu": (
            "menu|início|página inicial|buscar|busca|pesquisar|pesquisa|entrar|login|sair|cadastre-se"
            "|registrar|registar|minha conta|contato|contacto|contactos|fale conosco|sobre|sobre nós"
            "|quem somos|ajuda|perguntas frequentes|mapa do site|voltar ao topo|topo|fechar|abrir"
            "|próximo|seguinte|anterior|voltar|ir para o conteúdo|pular para o conteúdo|idioma"
            "|filtrar|ordenar por|carrinho|adicionar ao carrinho|ver mais|ver tudo|carregar mais"
            "|trabalhe conosco|anuncie|enviar|índice|marcadores|categorias|arquivo|arquivos"
            "|saiba mais|editorias"
        ),
        "legal": (
            "política de privacidade|privacidade|termos de uso|termos e condições|termos de serviço"
            "|aviso legal|política de cookies|cookies|configurações de cookies|ficha técnica"
        ),
        "rights": "todos os direitos reservados|copyright|direitos reservados",
        "share": (
            "compartilhar|compartilhe|partilhar|partilhe|compartilhar no facebook|tweetar|imprimir"
            "|enviar por e-mail|copiar link|siga-nos|siga|curtir|gosto|guardar|salvar"
        ),
        "comment": (
            "comentário|comentários|nenhum comentário|sem comentários|responder|denunciar"
            "|deixe um comentário|deixe uma resposta|comentar|citar|cancelar resposta|ver comentários"
            "|adicionar comentário"
        ),
        "ad": "publicidade|anúncio|anúncios|patrocinado|conteúdo patrocinado|conteúdo de marca|pub",
        "pitch": (
            "assine|assinar|assinatura|inscreva-se|subscreva|newsletter|boletim|teste grátis|doe|doar"
            "|doação|seja membro|apoie|compre agora|comprar|oferta|baixe o app|baixe o aplicativo"
            "|cupom|desconto|acesso ilimitado|assinante"
        ),
        "related": (
            "leia também|leia mais|veja também|ver também|saiba mais sobre|notícias relacionadas"
            "|artigos relacionados|posts relacionados|relacionados|relacionadas|matérias relacionadas"
            "|mais lidas|mais lidos|as mais lidas|mais populares|últimas notícias|posts recentes"
            "|artigos recentes|comentários recentes|recomendados|recomendadas|recomendado para você"
            "|você pode gostar|você também pode gostar|pode interessar|não perca|destaques"
            "|próximo artigo|artigo anterior|mais de|mais em|mais sobre|mais notícias|outras notícias"
            "|continue lendo|em alta"
        ),
        "byline": (
            "por|publicado|publicado em|publicado por|atualizado|atualizado em|escrito por|foto"
            "|imagem|fonte|crédito|redação"
        ),
    },
    "nl": {
        "menu": (
            "menu|home|zoeken|zoek|inloggen|aanmelden|uitloggen|registreren|mijn account|contact"
            "|over ons|help|hulp|sitemap|veelgestelde vragen|naar boven|terug naar boven|sluiten"
            "|sluit|openen|volgende|vorige|terug|naar inhoud|ga naar de inhoud|direct naar inhoud"
            "|taal|filteren|sorteren op|winkelwagen|winkelmand|in winkelwagen|meer tonen|bekijk alles"
            "|alles bekijken|vacatures|adverteren|verzenden|verstuur|inhoud|tags|categorieën|archief"
            "|lees meer|meer informatie"
        ),
        "legal": (
            "privacy|privacybeleid|privacyverklaring|algemene voorwaarden|gebruiksvoorwaarden|cookies"
            "|cookiebeleid|cookie-instellingen|disclaimer|voorwaarden|toegankelijkheid|colofon"
        ),
        "rights": "alle rechten voorbehouden|copyright",
        "share": (
            "delen|deel|deel dit artikel|deel op facebook|tweeten|printen|afdrukken|e-mail"
            "|link kopiëren|volg ons|vind ik leuk|bewaren"
        ),
        "comment": (
            "reactie|reacties|geen reacties|reageer|reageren|beantwoorden|antwoorden|melden"
            "|plaats een reactie|geef een reactie|laat een reactie achter|citeren|reactie annuleren"
            "|rapporteren"
        ),
        "ad": (
            "advertentie|advertenties|reclame|gesponsord|gesponsorde inhoud|partnerbijdrage|partnercontent"
        ),
        "pitch": (
            "abonneer|abonneren|abonnement|nieuwsbrief|gratis proberen|doneer|doneren|word lid"
            "|lid worden|koop nu|bestel nu|bestellen|aanbieding|download de app|kortingscode|korting"
            "|steun ons|onbeperkt lezen|schrijf je in|meld je aan"
        ),
        "related": (
            "lees ook|lees verder|lees meer over|zie ook|gerelateerde artikelen|gerelateerd"
            "|gerelateerde berichten|verwante artikelen|meer over|meer van|meer nieuws|meer artikelen"
            "|meest gelezen|populair|populaire artikelen|trending|laatste nieuws|recente berichten"
            "|recente artikelen|recente reacties|aanbevolen|aanraders|misschien vind je dit ook leuk"
            "|mis niet|volgende artikel|vorige artikel|uitgelicht|bekijk ook|ook interessant"
        ),
        "byline": (
            "door|gepubliceerd|gepubliceerd op|bijgewerkt|laatst bijgewerkt|geschreven door|geplaatst"
            "|foto|beeld|bron|leestijd"
        ),
    },
    "pl": {
        "menu": (
            "menu|strona główna|szukaj|wyszukaj|wyszukiwarka|zaloguj|zaloguj się|logowanie|wyloguj"
            "|zarejestruj się|rejestracja|moje konto|kontakt|o nas|pomoc|faq|mapa strony|do góry"
            "|powrót do góry|na górę|zamknij|otwórz|następny|następna|dalej|poprzedni|poprzednia"
            "|wstecz|powrót|przejdź do treści|przejdź do menu|język|filtruj|sortuj|koszyk|do koszyka"
            "|dodaj do koszyka|pokaż więcej|zobacz wszystkie|wczytaj więcej|praca|kariera"
            "|reklama w serwisie|wyślij|spis treści|tagi|kategorie|archiwum|redakcja"
        ),
        "legal": (
            "polityka prywatności|prywatność|regulamin|warunki korzystania|polityka cookies"
            "|pliki cookies|cookies|rodo|nota prawna|ustawienia prywatności|deklaracja dostępności"
        ),
        "rights": "wszelkie prawa zastrzeżone|wszystkie prawa zastrzeżone|copyright",
        "share": (
            "udostępnij|podziel się|udostępnij na facebooku|tweetnij|drukuj|wyślij e-mail"
            "|wyślij znajomemu|kopiuj link|skopiuj link|obserwuj nas|lubię to|zapisz|poleć"
        ),
        "comment": (
            "komentarz|komentarze|komentarzy|brak komentarzy|odpowiedz|zgłoś|dodaj komentarz"
            "|skomentuj|cytuj|napisz komentarz|pokaż komentarze|anuluj pisanie odpowiedzi"
            "|zostaw komentarz|zgłoś nadużycie"
        ),
        "ad": (
            "reklama|reklamy|ogłoszenie|ogłoszenia|sponsorowane|artykuł sponsorowany"
            "|materiał sponsorowany|materiał partnera|materiał promocyjny|promocja|autopromocja"
        ),
        "pitch": (
            "subskrybuj|prenumerata|prenumeruj|newsletter|zapisz się|wypróbuj|wesprzyj|wspieraj"
            "|darowizna|dołącz do nas|kup teraz|kup|zamów|oferta|pobierz aplikację|kod rabatowy|rabat"
            "|zniżka|promocja|nieograniczony dostęp"
        ),
        "related": (
            "czytaj też|czytaj także|czytaj również|czytaj więcej|przeczytaj też|przeczytaj także"
            "|przeczytaj również|zobacz też|zobacz także|zobacz również|zobacz więcej"
            "|podobne artykuły|podobne|podobne wpisy|powiązane|powiązane artykuły|najczęściej czytane"
            "|najpopularniejsze|popularne|ostatnie wpisy|ostatnie artykuły|najnowsze komentarze"
            "|najnowsze wpisy|najnowsze|ostatnie komentarze|polecamy|polecane|polecane artykuły"
            "|rekomendowane|warto przeczytać|nie przegap|następny artykuł|poprzedni artykuł|więcej o"
            "|więcej na ten temat|więcej z|inne artykuły|to może cię zainteresować"
            "|może cię zainteresować|sprawdź także|na ten temat"
        ),
        "byline": (
            "autor|opublikowano|aktualizacja|zaktualizowano|data publikacji|dodano|napisał|foto|fot"
            "|zdjęcie|źródło|czas czytania"
        ),
    },
    "ru": {
        "menu": (
            "меню|главная|главная страница|поиск|найти|войти|вход|выйти|регистрация"
            "|зарегистрироваться|личный кабинет|контакты|о нас|о проекте|о компании|помощь"
            "|карта сайта|наверх|вверх|закрыть|открыть|далее|вперед|следующая|предыдущая|назад"
            "|перейти к содержанию|перейти к содержимому|язык|фильтр|сортировать|корзина|в корзину"
            "|показать ещё|показать еще|показать все|загрузить еще|вакансии|реклама на сайте"
            "|отправить|содержание|оглавление|теги|метки|рубрики|категории|архив|подробнее|редакция"
        ),
        "legal": (
            "политика конфиденциальности|конфиденциальность|пользовательское соглашение"
            "|условия использования|персональных данных|персональные данные|правовая информация"
            "|cookies|файлы cookie|оферта"
        ),
        "rights": "все права защищены|все права сохранены",
        "share": (
            "поделиться|поделиться в facebook|поделиться вконтакте|распечатать|печать"
            "|версия для печати|отправить по почте|скопировать ссылку|подписывайтесь|мы в соцсетях"
            "|нравится|мне нравится|сохранить|вконтакте|одноклассники|телеграм"
        ),
        "comment": (
            "комментарий|комментарии|комментариев|нет комментариев|ответить|пожаловаться"
            "|оставить комментарий|добавить комментарий|комментировать|цитировать|отменить ответ"
            "|написать комментарий|все комментарии|обсудить"
        ),
        "ad": (
            "реклама|объявление|объявления|на правах рекламы|спонсорский материал"
            "|партнёрский материал|партнерский материал|промо"
        ),
        "pitch": (
            "подпишитесь|подписаться|подписка|рассылка|рассылку|бесплатно попробовать|пожертвовать"
            "|поддержать|поддержите|купить|заказать|скачать приложение|скачайте приложение|промокод"
            "|скидка|скидки|акция|оформить подписку"
        ),
        "related": (
            "читайте также|читать также|читать далее|читать ещё|читайте далее|смотрите также"
            "|смотри также|см. также|по теме|материалы по теме|похожие статьи|похожие записи"
            "|похожие материалы|похожие новости|похожие темы|ещё по теме|еще по теме|самое читаемое"
            "|популярное|популярные статьи|самое популярное|последние новости|свежие записи"
            "|последние записи|последние комментарии|свежие комментарии|рекомендуем|рекомендуемые"
            "|вам может понравиться|вам может быть интересно|не пропустите|следующая статья"
            "|предыдущая статья|главное|другие новости|другие статьи|новости партнеров"
            "|новости партнёров"
        ),
        "byline": "автор|опубликовано|обновлено|дата публикации|написал|текст|фото|источник|время чтения",
    },
    "uk": {
        "menu": (
            "меню|головна|пошук|знайти|увійти|вхід|вийти|реєстрація|контакти|про нас|допомога"
            "|карта сайту|вгору|нагору|закрити|відкрити|далі|наступна|попередня|назад"
            "|перейти до вмісту|мова|фільтр|сортувати|кошик|до кошика|показати ще|показати більше"
            "|показати всі|вакансії|надіслати|зміст|теги|позначки|рубрики|категорії|архів|докладніше"
            "|детальніше|редакція"
        ),
        "legal": (
            "політика конфіденційності|конфіденційність|угода користувача|умови використання"
            "|персональних даних|cookies|правила сайту"
        ),
        "rights": "всі права захищені|усі права захищено|всі права захищено",
        "share": (
            "поділитися|поширити|поділитися у facebook|друк|роздрукувати|надіслати поштою"
            "|скопіювати посилання|подобається|зберегти"
        ),
        "comment": (
            "коментар|коментарі|коментарів|немає коментарів|відповісти|поскаржитися|залишити коментар"
            "|додати коментар|коментувати|цитувати|скасувати відповідь|усі коментарі"
        ),
        "ad": "реклама|оголошення|на правах реклами|партнерський матеріал|спонсорський матеріал|промо",
        "pitch": (
            "підпишіться|підписатися|підписка|передплата|розсилка|розсилку|спробувати безкоштовно"
            "|підтримати|підтримайте|пожертвувати|купити|замовити|завантажити застосунок|промокод"
            "|знижка|знижки|акція"
        ),
        "related": (
            "читайте також|читати також|читати далі|дивіться також|див. також|за темою"
            "|матеріали за темою|схожі статті|схожі записи|схожі новини|ще за темою|найпопулярніше"
            "|популярне|популярні статті|останні новини|останні записи|нещодавні записи|свіжі записи"
            "|рекомендуємо|рекомендовані|вам може сподобатися|не пропустіть|наступна стаття"
            "|попередня стаття|головне|інші новини|більше новин"
        ),
        "byline": "автор|опубліковано|оновлено|дата публікації|текст|фото|джерело|час читання",
    },
    "cs": {
        "menu": (
            "menu|domů|úvod|hlavní stránka|hledat|vyhledávání|vyhledat|přihlásit|přihlásit se"
            "|přihlášení|odhlásit|registrace|můj účet|kontakt|kontakty|o nás|nápověda|mapa stránek"
            "|mapa webu|nahoru|zpět nahoru|zavřít|otevřít|další|následující|předchozí|zpět"
            "|přejít k obsahu|přeskočit na obsah|jazyk|filtr|řadit podle|košík|do košíku"
            "|přidat do košíku|zobrazit více|zobrazit vše|načíst další|kariéra|inzerce|odeslat|obsah"
            "|štítky|kategorie|rubriky|archiv|více informací|redakce"
        ),
        "legal": (
            "ochrana osobních údajů|zásady ochrany|obchodní podmínky|podmínky užití"
            "|podmínky používání|cookies|nastavení cookies|soukromí|prohlášení o přístupnosti"
        ),
        "rights": "všechna práva vyhrazena|copyright",
        "share": (
            "sdílet|sdílet na facebooku|tweetnout|tisk|vytisknout|poslat e-mailem|kopírovat odkaz"
            "|sledujte nás|líbí se mi|uložit"
        ),
        "comment": (
            "komentář|komentáře|komentářů|žádné komentáře|odpovědět|nahlásit|přidat komentář"
            "|napsat komentář|citovat|diskuse|zrušit odpověď|vstoupit do diskuse|zobrazit komentáře"
        ),
        "ad": "reklama|inzerce|inzerát|sponzorováno|sponzorovaný obsah|komerční sdělení|propagace",
        "pitch": (
            "předplatné|předplaťte|odebírat|odběr|newsletter|vyzkoušet zdarma|podpořte|přispět"
            "|staňte se|koupit|objednat|nabídka|stáhněte si aplikaci|slevový kód|sleva|slevy"
            "|přihlaste se k odběru"
        ),
        "related": (
            "čtěte také|přečtěte si také|čtěte dále|číst dále|viz také|související|související články"
            "|podobné články|nejčtenější|oblíbené|populární|nejnovější|nejnovější články"
            "|poslední články|nejnovější příspěvky|nejnovější komentáře|doporučujeme|doporučené"
            "|mohlo by vás zajímat|mohlo by se vám líbit|nenechte si ujít|další článek"
            "|předchozí článek|další články|více k tématu|k tématu"
        ),
        "byline": "autor|publikováno|zveřejněno|aktualizováno|vydáno|napsal|foto|zdroj|doba čtení",
    },
    "sv": {
        "menu": (
            "meny|hem|startsida|sök|logga in|logga ut|registrera|mitt konto|kontakt|kontakta oss"
            "|om oss|hjälp|webbkarta|till toppen|tillbaka till toppen|stäng|öppna|nästa|föregående"
            "|tillbaka|hoppa till innehåll|gå till innehållet|språk|filtrera|sortera efter|varukorg"
            "|kundvagn|lägg i varukorg|visa mer|visa alla|ladda fler|jobb|lediga jobb|annonsera"
            "|skicka|innehåll|taggar|kategorier|arkiv|läs mer"
        ),
        "legal": (
            "integritetspolicy|personuppgifter|personuppgiftspolicy|användarvillkor|villkor"
            "|köpvillkor|cookies|om cookies|cookiepolicy|cookieinställningar"
            "|tillgänglighetsredogörelse"
        ),
        "rights": "alla rättigheter förbehållna|med ensamrätt|copyright",
        "share": "dela|dela på facebook|tweeta|skriv ut|tipsa|e-post|kopiera länk|följ oss|gilla|spara",
        "comment": (
            "kommentar|kommentarer|inga kommentarer|svara|anmäl|lämna en kommentar|kommentera|citera"
            "|skriv en kommentar|rapportera"
        ),
        "ad": "annons|annonser|reklam|sponsrat|sponsrat innehåll|betalt innehåll|annonssamarbete",
        "pitch": (
            "prenumerera|prenumeration|nyhetsbrev|prova gratis|donera|bli medlem|köp nu|köp|beställ"
            "|erbjudande|ladda ner appen|rabattkod|rabatt|stöd oss"
        ),
        "related": (
            "läs också|läs även|läs mer om|läs vidare|se även|relaterat|relaterade artiklar"
            "|relaterade inlägg|liknande artiklar|mer om|mer från|mest läst|mest lästa|populärt"
            "|senaste nytt|senaste nyheterna|senaste inläggen|senaste kommentarerna|rekommenderat"
            "|vi rekommenderar|du kanske också gillar|missa inte|nästa artikel|föregående artikel"
            "|fler artiklar|fler nyheter"
        ),
        "byline": "av|publicerad|publicerat|uppdaterad|uppdaterat|text|skriven av|foto|bild|källa|lästid",
    },
    "fi": {
        "menu": (
            "valikko|etusivu|haku|hae|kirjaudu|kirjaudu sisään|kirjaudu ulos|rekisteröidy|oma tili"
            "|yhteystiedot|ota yhteyttä|tietoa meistä|ohje|ohjeet|sivukartta|ylös|takaisin ylös|sulje"
            "|avaa|seuraava|edellinen|takaisin|siirry sisältöön|hyppää sisältöön|kieli|suodata"
            "|järjestä|ostoskori|lisää ostoskoriin|näytä lisää|näytä kaikki|lataa lisää|työpaikat"
            "|mainosta|lähetä|sisältö|tagit|avainsanat|kategoriat|arkisto|lue lisää|palaute"
        ),
        "legal": (
            "tietosuojaseloste|tietosuoja|rekisteriseloste|käyttöehdot|evästeet|evästeasetukset"
            "|saavutettavuusseloste|tietosuojakäytäntö"
        ),
        "rights": "kaikki oikeudet pidätetään|copyright",
        "share": (
            "jaa|jaa facebookissa|twiittaa|tulosta|lähetä sähköpostilla|kopioi linkki|seuraa meitä"
            "|tykkää|tallenna"
        ),
        "comment": (
            "kommentti|kommentit|kommenttia|ei kommentteja|vastaa|ilmoita|jätä kommentti|kommentoi"
            "|lainaa|lisää kommentti|kirjoita kommentti"
        ),
        "ad": "mainos|mainokset|ilmoitus|sponsoroitu|kaupallinen yhteistyö|maksettu mainos",
        "pitch": (
            "tilaa|tilaus|uutiskirje|kokeile ilmaiseksi|lahjoita|liity|osta|tilaa nyt|tarjous"
            "|lataa sovellus|alennuskoodi|alennus|tue meitä"
        ),
        "related": (
            "lue myös|lue lisää|lue seuraavaksi|katso myös|aiheeseen liittyvää|liittyvät artikkelit"
            "|samankaltaiset|lisää aiheesta|luetuimmat|suosituimmat|suosittua|uusimmat|viimeisimmät"
            "|uusimmat artikkelit|suosittelemme|saatat pitää myös|sinua voisi kiinnostaa|älä missaa"
            "|seuraava artikkeli|edellinen artikkeli|muut uutiset"
        ),
        "byline": "kirjoittanut|julkaistu|päivitetty|teksti|kuva|valokuva|lähde|lukuaika",
    },
    "hu": {
        "menu": (
            "menü|kezdőlap|főoldal|keresés|bejelentkezés|belépés|kijelentkezés|regisztráció|fiókom"
            "|kapcsolat|rólunk|súgó|segítség|oldaltérkép|vissza a tetejére|fel|bezárás|megnyitás"
            "|következő|előző|vissza|ugrás a tartalomhoz|tovább a tartalomhoz|nyelv|szűrés|rendezés"
            "|kosár|kosárba|továbbiak|összes|mutass többet|állás|karrier|médiaajánlat|küldés|tartalom"
            "|tartalomjegyzék|címkék|kategóriák|archívum|bővebben|impresszum|tovább"
        ),
        "legal": (
            "adatvédelem|adatvédelmi tájékoztató|adatkezelési tájékoztató|felhasználási feltételek"
            "|általános szerződési feltételek|ászf|jogi nyilatkozat|cookie|sütik|süti beállítások"
            "|szerzői jogok"
        ),
        "rights": "minden jog fenntartva|copyright",
        "share": (
            "megosztás|megosztom|megosztás facebookon|tweet|nyomtatás|küldés e-mailben|link másolása"
            "|kövess minket|tetszik|mentés"
        ),
        "comment": (
            "hozzászólás|hozzászólások|komment|kommentek|nincs hozzászólás|válasz|jelentés"
            "|szólj hozzá|hozzászólok|idézés|hozzászólás írása"
        ),
        "ad": "hirdetés|hirdetések|reklám|szponzorált|szponzorált tartalom|támogatott tartalom|pr cikk",
        "pitch": (
            "feliratkozás|iratkozz fel|iratkozzon fel|előfizetés|fizessen elő|hírlevél"
            "|próbáld ki ingyen|támogasd|támogatás|adományozz|csatlakozz|vásárlás|megrendelés|ajánlat"
            "|töltsd le|kuponkód|kedvezmény|akció"
        ),
        "related": (
            "olvasd el ezt is|olvassa el|olvass tovább|olvasson tovább|lásd még|kapcsolódó"
            "|kapcsolódó cikkek|hasonló cikkek|további cikkek|ajánlott|ajánljuk|ajánlott cikkek"
            "|legolvasottabb|népszerű|legnépszerűbb|legfrissebb|friss hírek|legutóbbi bejegyzések"
            "|legutóbbi hozzászólások|ezek is érdekelhetnek|ne maradj le|következő cikk|előző cikk"
            "|még több"
        ),
        "byline": "szerző|írta|megjelent|közzétéve|frissítve|fotó|kép|forrás|olvasási idő",
    },
    "el": {
        "menu": (
            "μενού|αρχική|αρχική σελίδα|αναζήτηση|σύνδεση|είσοδος|αποσύνδεση|εγγραφή"
            "|ο λογαριασμός μου|επικοινωνία|σχετικά με εμάς|ποιοι είμαστε|βοήθεια|χάρτης ιστοτόπου"
            "|επιστροφή στην κορυφή|κλείσιμο|άνοιγμα|επόμενο|επόμενη|προηγούμενο|προηγούμενη|πίσω"
            "|μετάβαση στο περιεχόμενο|γλώσσα|φίλτρα|ταξινόμηση|καλάθι|προσθήκη στο καλάθι"
            "|περισσότερα|δείτε όλα|εμφάνιση περισσότερων|διαφημιστείτε|αποστολή|περιεχόμενα|ετικέτες"
            "|κατηγορίες|αρχείο|ταυτότητα"
        ),
        "legal": (
            "πολιτική απορρήτου|προστασία προσωπικών δεδομένων|προσωπικά δεδομένα|όροι χρήσης"
            "|όροι και προϋποθέσεις|cookies|πολιτική cookies"
        ),
        "rights": "με επιφύλαξη παντός δικαιώματος|όλα τα δικαιώματα διατηρούνται|copyright",
        "share": (
            "κοινοποίηση|μοιραστείτε|μοιράσου|εκτύπωση|αποστολή με email|αντιγραφή συνδέσμου"
            "|ακολουθήστε μας|μου αρέσει|αποθήκευση"
        ),
        "comment": (
            "σχόλιο|σχόλια|κανένα σχόλιο|απάντηση|αναφορά|αφήστε σχόλιο|σχολιάστε|παράθεση|προσθήκη σχολίου"
        ),
        "ad": "διαφήμιση|διαφημίσεις|χορηγούμενο|χορηγούμενο περιεχόμενο|αγγελία",
        "pitch": (
            "εγγραφείτε|συνδρομή|newsletter|δωρεάν δοκιμή|δωρεά|υποστηρίξτε|γίνετε μέλος|αγοράστε"
            "|παραγγελία|προσφορά|κατεβάστε την εφαρμογή|κωδικός έκπτωσης|έκπτωση|εκπτώσεις"
        ),
        "related": (
            "διαβάστε επίσης|διαβάστε ακόμα|διαβάστε περισσότερα|δείτε επίσης|δείτε ακόμα"
            "|σχετικά άρθρα|σχετικά|παρόμοια άρθρα|δημοφιλή|πιο δημοφιλή|τα πιο δημοφιλή"
            "|τελευταία νέα|πρόσφατα άρθρα|πρόσφατα σχόλια|προτεινόμενα|σας προτείνουμε|μη χάσετε"
            "|επόμενο άρθρο|προηγούμενο άρθρο|ροή ειδήσεων|τελευταίες ειδήσεις"
        ),
        "byline": "από|δημοσιεύθηκε|δημοσίευση|ενημερώθηκε|τελευταία ενημέρωση|συντάκτης|φωτογραφία|πηγή",
    },
    "tr": {
        "menu": (
            "menü|ana sayfa|anasayfa|ara|arama|giriş|giriş yap|oturum aç|çıkış|çıkış yap|kayıt ol"
            "|üye ol|hesabım|iletişim|hakkımızda|hakkında|yardım|sss|site haritası|yukarı çık"
            "|başa dön|kapat|aç|sonraki|ileri|önceki|geri|içeriğe geç|içeriğe atla|dil|filtrele"
            "|sırala|sepet|sepetim|sepete ekle|daha fazla göster|daha fazla|tümünü gör|kariyer"
            "|reklam ver|künye|gönder|içindekiler|etiketler|kategoriler|arşiv|devamı"
        ),
        "legal": (
            "gizlilik|gizlilik politikası|kullanım koşulları|kullanım şartları|çerez politikası"
            "|çerezler|kvkk|kişisel verilerin korunması|aydınlatma metni|yasal uyarı|veri politikası"
        ),
        "rights": "tüm hakları saklıdır|her hakkı saklıdır|copyright",
        "share": (
            "paylaş|facebook'ta paylaş|tweetle|yazdır|e-posta gönder|bağlantıyı kopyala"
            "|bizi takip edin|takip et|beğen|kaydet"
        ),
        "comment": (
            "yorum|yorumlar|yorum yok|yanıtla|cevapla|şikayet et|yorum yap|yorum yaz|bir yorum yazın"
            "|alıntı|bir cevap yazın|yorum ekle"
        ),
        "ad": "reklam|reklamlar|ilan|sponsorlu|sponsorlu içerik|tanıtım|advertorial",
        "pitch": (
            "abone ol|abone olun|abonelik|bülten|bültenimize|ücretsiz dene|bağış yap|bağış|üye olun"
            "|satın al|sipariş ver|fırsat|uygulamayı indir|indirim kodu|indirim|kampanya|destek ol"
        ),
        "related": (
            "ilgili haberler|ilgili yazılar|ilgili içerikler|benzer haberler|benzer yazılar"
            "|ayrıca bakınız|ayrıca bkz|devamını oku|bunlar da ilginizi çekebilir|ilginizi çekebilir"
            "|bunları da okuyun|en çok okunan|en çok okunanlar|çok okunanlar|popüler|popüler yazılar"
            "|son haberler|son dakika|son yazılar|son yorumlar|önerilen|önerilenler"
            "|sizin için önerilenler|kaçırmayın|sonraki haber|önceki haber|sonraki yazı|önceki yazı"
            "|diğer haberler|öne çıkanlar|daha fazla haber"
        ),
        "byline": (
            "yazan|yazar|yayınlanma|yayınlanma tarihi|güncelleme|güncellendi|son güncelleme|fotoğraf"
            "|kaynak|okuma süresi"
        ),
    },
    "id": {
        "menu": (
            "menu|beranda|cari|pencarian|masuk|keluar|daftar|akun saya|kontak|hubungi kami|tentang"
            "|tentang kami|bantuan|peta situs|ke atas|kembali ke atas|tutup|buka|selanjutnya"
            "|berikutnya|sebelumnya|kembali|lompat ke konten|langsung ke isi|bahasa|saring|urutkan"
            "|keranjang|tambah ke keranjang|lihat semua|muat lebih banyak|tampilkan lebih banyak"
            "|karir|pasang iklan|kirim|daftar isi|tag|kategori|arsip|indeks|redaksi"
        ),
        "legal": (
            "kebijakan privasi|privasi|syarat dan ketentuan|ketentuan layanan|ketentuan penggunaan"
            "|pedoman media siber|cookie|disclaimer"
        ),
        "rights": "hak cipta dilindungi|hak cipta|seluruh hak cipta|copyright",
        "share": (
            "bagikan|bagikan ke facebook|share|tweet|cetak|kirim email|salin tautan|salin link"
            "|ikuti kami|suka|simpan"
        ),
        "comment": (
            "komentar|tidak ada komentar|balas|laporkan|tinggalkan komentar|tinggalkan balasan"
            "|tulis komentar|kutip|batalkan balasan"
        ),
        "ad": "iklan|sponsor|bersponsor|konten bersponsor|promosi|advertorial",
        "pitch": (
            "berlangganan|langganan|buletin|newsletter|coba gratis|donasi|gabung|beli sekarang"
            "|pesan sekarang|penawaran|unduh aplikasi|kode promo|diskon|dukung kami"
        ),
        "related": (
            "baca juga|baca selengkapnya|lihat juga|berita terkait|artikel terkait|terkait"
            "|topik terkait|artikel lainnya|berita lainnya|terpopuler|populer|paling banyak dibaca"
            "|berita terbaru|terbaru|terkini|berita terkini|pos terbaru|komentar terbaru|rekomendasi"
            "|rekomendasi untuk anda|anda mungkin suka|jangan lewatkan|artikel selanjutnya"
            "|artikel sebelumnya|berita populer|pilihan editor"
        ),
        "byline": (
            "oleh|penulis|editor|diterbitkan|dipublikasikan|diperbarui|reporter|foto|gambar|sumber|waktu baca"
        ),
    },
    "vi": {
        "menu": (
            "menu|trang chủ|tìm kiếm|đăng nhập|đăng xuất|đăng ký|tài khoản|liên hệ|giới thiệu"
            "|về chúng tôi|trợ giúp|sơ đồ trang|lên đầu trang|về đầu trang|đóng|mở|tiếp|tiếp theo"
            "|trang sau|trước|trang trước|quay lại|chuyển đến nội dung|bỏ qua nội dung|ngôn ngữ|lọc"
            "|sắp xếp|giỏ hàng|thêm vào giỏ|thêm vào giỏ hàng|xem thêm|xem tất cả|tải thêm|tuyển dụng"
            "|quảng cáo với chúng tôi|gửi|mục lục|thẻ|từ khóa|danh mục|chuyên mục|lưu trữ|tòa soạn"
        ),
        "legal": (
            "chính sách bảo mật|quyền riêng tư|điều khoản sử dụng|điều khoản dịch vụ|điều khoản"
            "|chính sách cookie|miễn trừ trách nhiệm"
        ),
        "rights": "bản quyền|giữ bản quyền|mọi quyền được bảo lưu|copyright",
        "share": (
            "chia sẻ|chia sẻ facebook|in bài viết|in|gửi email|sao chép liên kết|theo dõi"
            "|theo dõi chúng tôi|thích|lưu|lưu bài"
        ),
        "comment": (
            "bình luận|ý kiến|trả lời|báo cáo|gửi bình luận|viết bình luận|để lại bình luận|trích dẫn"
            "|chưa có bình luận"
        ),
        "ad": "quảng cáo|tài trợ|nội dung tài trợ|được tài trợ",
        "pitch": (
            "đăng ký nhận tin|đăng ký ngay|bản tin|dùng thử miễn phí|quyên góp|ủng hộ|mua ngay"
            "|đặt hàng|ưu đãi|tải ứng dụng|mã giảm giá|giảm giá|khuyến mãi|tham gia ngay"
        ),
        "related": (
            "bài viết liên quan|tin liên quan|bài liên quan|liên quan|đọc thêm|xem thêm|đọc tiếp"
            "|có thể bạn quan tâm|có thể bạn thích|đọc nhiều|tin đọc nhiều|đọc nhiều nhất|xem nhiều"
            "|xem nhiều nhất|phổ biến|nổi bật|tin nổi bật|tin mới|tin mới nhất|bài viết mới"
            "|bài mới nhất|đề xuất|gợi ý cho bạn|đừng bỏ lỡ|bài tiếp theo|bài trước|bài sau|tin khác"
            "|cùng chuyên mục|bài viết khác"
        ),
        "byline": "tác giả|theo|đăng ngày|cập nhật|ngày đăng|ảnh|nguồn|thời gian đọc",
    },
    "ar": {
        "menu": (
            "القائمة|الرئيسية|الصفحة الرئيسية|بحث|ابحث|البحث|تسجيل الدخول|دخول|تسجيل الخروج|خروج"
            "|التسجيل|تسجيل|إنشاء حساب|حسابي|اتصل بنا|تواصل معنا|من نحن|عن الموقع|مساعدة|المساعدة"
            "|خريطة الموقع|العودة إلى الأعلى|إلى الأعلى|إغلاق|فتح|التالي|السابق|رجوع|عودة"
            "|انتقل إلى المحتوى|تخطي إلى المحتوى|تخطى إلى المحتوى|اللغة|تصفية|ترتيب حسب|السلة"
            "|أضف إلى السلة|عرض المزيد|المزيد|عرض الكل|تحميل المزيد|وظائف|أعلن معنا|إرسال|المحتويات"
            "|وسوم|الوسوم|التصنيفات|الأقسام|الأرشيف|اقرأ المزيد"
        ),
        "legal": (
            "سياسة الخصوصية|الخصوصية|شروط الاستخدام|الشروط والأحكام|شروط الخدمة|إخلاء مسؤولية"
            "|ملفات تعريف الارتباط|سياسة ملفات الارتباط"
        ),
        "rights": "جميع الحقوق محفوظة|حقوق النشر|حقوق الطبع",
        "share": (
            "شارك|مشاركة|شارك على فيسبوك|غرد|تغريد|طباعة|اطبع|إرسال بالبريد|نسخ الرابط|تابعنا|تابعونا"
            "|أعجبني|حفظ|فيسبوك|تويتر|واتساب|تيليجرام"
        ),
        "comment": (
            "تعليق|تعليقات|التعليقات|لا توجد تعليقات|رد|الرد|إبلاغ|تبليغ|اترك تعليقا|اترك تعليقاً"
            "|أضف تعليق|أضف تعليقا|اكتب تعليق|اقتباس|إلغاء الرد"
        ),
        "ad": "إعلان|إعلانات|الإعلانات|إعلان مدفوع|محتوى مدفوع|برعاية|ممول|محتوى ممول",
        "pitch": (
            "اشترك|اشتراك|الاشتراك|النشرة البريدية|نشرتنا البريدية|القائمة البريدية|تجربة مجانية|تبرع"
            "|انضم|اشتر الآن|اشتري الآن|اطلب الآن|عرض خاص|حمل التطبيق|حمّل التطبيق|كود خصم|خصم|خصومات"
            "|ادعمنا"
        ),
        "related": (
            "اقرأ أيضا|اقرأ أيضًا|اقرأ أيضاً|إقرأ أيضا|اقرأ المزيد|شاهد أيضا|شاهد أيضًا|شاهد أيضاً"
            "|انظر أيضا|مقالات ذات صلة|مواضيع ذات صلة|ذات صلة|أخبار ذات صلة|موضوعات متعلقة"
            "|مقالات مشابهة|مقالات متعلقة|الأكثر قراءة|الأكثر مشاهدة|الأكثر شعبية|الأكثر تداولا"
            "|آخر الأخبار|أحدث المقالات|أحدث الأخبار|أحدث التعليقات|موصى به|نرشح لك|قد يعجبك"
            "|قد يعجبك أيضا|قد يهمك|لا تفوت|المقال التالي|المقال السابق|المزيد من|مختارات"
        ),
        "byline": "بقلم|كتب|كتبت|كتبه|نشر|نشر في|تاريخ النشر|آخر تحديث|تحديث|المصدر|تصوير|صورة",
    },
    "fa": {
        "menu": (
            "منو|خانه|صفحه اصلی|صفحه نخست|جستجو|ورود|خروج|ثبت نام|عضویت|حساب کاربری|تماس با ما|تماس"
            "|درباره ما|درباره|راهنما|نقشه سایت|بازگشت به بالا|بستن|باز کردن|بعدی|قبلی|بازگشت"
            "|رفتن به محتوا|پرش به محتوا|زبان|فیلتر|مرتب سازی|سبد خرید|افزودن به سبد خرید|نمایش بیشتر"
            "|بیشتر|مشاهده همه|بارگذاری بیشتر|فرصت های شغلی|تبلیغات در سایت|ارسال|فهرست|فهرست مطالب"
            "|برچسب ها|برچسب‌ها|دسته بندی ها|دسته‌بندی‌ها|آرشیو|ادامه مطلب|پیوندها"
        ),
        "legal": (
            "حریم خصوصی|سیاست حفظ حریم خصوصی|شرایط استفاده|قوانین و مقررات|قوانین سایت|شرایط و ضوابط"
            "|سلب مسئولیت|کوکی‌ها"
        ),
        "rights": "تمامی حقوق محفوظ است|کلیه حقوق|تمام حقوق|حق نشر|تمامی حقوق",
        "share": (
            "اشتراک گذاری|اشتراک‌گذاری|به اشتراک بگذارید|چاپ|ارسال به دوستان|کپی لینک|لینک کوتاه"
            "|ما را دنبال کنید|پسندیدم|ذخیره|تلگرام|اینستاگرام|واتساپ"
        ),
        "comment": (
            "نظر|نظرات|دیدگاه|دیدگاه ها|دیدگاه‌ها|بدون دیدگاه|پاسخ|گزارش|ارسال نظر|ثبت نظر"
            "|ارسال دیدگاه|دیدگاهتان را بنویسید|نقل قول|لغو پاسخ|نظر شما"
        ),
        "ad": "تبلیغات|تبلیغ|آگهی|اسپانسر|رپورتاژ|رپورتاژ آگهی|محتوای تبلیغاتی",
        "pitch": (
            "اشتراک|مشترک شوید|خبرنامه|عضویت در خبرنامه|امتحان رایگان|کمک مالی|حمایت|خرید|سفارش"
            "|پیشنهاد ویژه|دانلود اپلیکیشن|کد تخفیف|تخفیف"
        ),
        "related": (
            "بیشتر بخوانید|بخوانید|همچنین بخوانید|مطالب مرتبط|مقالات مرتبط|اخبار مرتبط|مرتبط"
            "|نوشته های مشابه|نوشته‌های مشابه|مطالب مشابه|جستارهای وابسته|پربازدیدترین"
            "|پربازدیدترین ها|پربحث ترین|محبوب ترین|محبوب‌ترین|آخرین اخبار|تازه ترین|آخرین نوشته ها"
            "|آخرین دیدگاه ها|نوشته‌های تازه|آخرین دیدگاه‌ها|پیشنهاد ما|پیشنهاد سردبیر|مطالب پیشنهادی"
            "|شاید بپسندید|از دست ندهید|مطلب بعدی|مطلب قبلی|سایر اخبار|دیگر اخبار"
        ),
        "byline": ("نویسنده|نوشته|منتشر شده|تاریخ انتشار|به روز رسانی|آخرین به‌روزرسانی|منبع|عکس|زمان مطالعه"),
    },
    "ja": {
        "menu": (
            "メニュー|ホーム|トップ|トップページ|検索|ログイン|ログアウト|新規登録|会員登録"
            "|無料会員登録|マイページ|お問い合わせ|問い合わせ|会社概要|運営会社|ヘルプ|よくある質問"
            "|サイトマップ|ページトップへ|ページの先頭へ|上に戻る|トップへ戻る|閉じる|開く|次へ"
            "|次のページ|前へ|前のページ|戻る|本文へスキップ|コンテンツへスキップ|本文へ|言語"
            "|絞り込み|並び替え|カート|カートに入れる|もっと見る|すべて見る|一覧|一覧を見る|採用情報"
            "|広告掲載|送信|目次|タグ|カテゴリー|カテゴリ|アーカイブ|月別アーカイブ|詳細を見る"
            "|詳しく見る"
        ),
        "legal": (
            "プライバシーポリシー|個人情報保護方針|個人情報の取り扱い|利用規約|免責事項|特定商取引法"
            "|cookieポリシー|サイトポリシー|著作権について"
        ),
        "rights": "無断転載|無断複製|全著作権所有|copyright",
        "share": (
            "シェア|シェアする|共有|ツイート|ツイートする|ポスト|印刷|印刷する|メールで送る"
            "|リンクをコピー|urlをコピー|フォロー|フォローする|いいね|いいね！|保存"
            "|はてなブックマーク|lineで送る|ブックマーク"
        ),
        "comment": (
            "コメント|コメントする|コメントを書く|コメントを残す|コメントはありません|返信|返信する"
            "|通報|引用|違反報告|コメントを見る|コメントを投稿"
        ),
        "ad": "広告|pr|スポンサー|スポンサーリンク|スポンサードリンク|提供|プロモーション|タイアップ",
        "pitch": (
            "購読|メルマガ|メールマガジン|ニュースレター|無料体験|無料トライアル|寄付|会員になる"
            "|有料会員|今すぐ購入|購入する|注文|キャンペーン|アプリをダウンロード|クーポン|割引"
            "|セール|お申し込み|続きを読むには"
        ),
        "related": (
            "関連記事|関連ニュース|関連リンク|関連|あわせて読みたい|合わせて読みたい|こちらもおすすめ"
            "|おすすめ記事|おすすめ|オススメ|人気記事|人気の記事|人気ランキング|アクセスランキング"
            "|ランキング|最新記事|新着記事|新着|最近の投稿|最近のコメント|最新ニュース|次の記事"
            "|前の記事|この記事を読んだ人|この記事も読まれています|よく読まれている記事|注目記事|注目"
            "|ピックアップ|続きを読む|関連項目|関連商品|他の記事"
        ),
        "byline": "文|著者|執筆|取材|公開日|更新日|投稿日|最終更新|公開|更新|写真|撮影|出典|画像",
    },
    "zh": {
        "menu": (
            "菜单|首页|主页|首頁|搜索|搜尋|登录|登錄|登入|退出|登出|注册|註冊|我的账户|会员中心"
            "|联系我们|聯絡我們|关于我们|關於我們|帮助|幫助|网站地图|網站地圖|返回顶部|回到顶部"
            "|回頂部|关闭|關閉|打开|下一页|下一頁|上一页|上一頁|返回|跳到内容|跳至内容|跳到主要內容"
            "|语言|語言|筛选|排序|购物车|購物車|加入购物车|查看更多|更多|查看全部|加载更多|招聘"
            "|诚聘英才|广告服务|提交|目录|目錄|标签|標籤|分类|分類|归档|歸檔|设为首页|加入收藏"
            "|了解更多|导航"
        ),
        "legal": (
            "隐私政策|隱私政策|隐私权|隱私權|使用条款|使用條款|服务条款|服務條款|用户协议|免责声明"
            "|免責聲明|版权声明|法律声明|cookie政策"
        ),
        "rights": "版权所有|版權所有|保留所有权利|保留所有權利|不得转载|icp备|京公网安备|未经授权",
        "share": (
            "分享|分享到|转发|轉發|打印|列印|发送邮件|复制链接|複製連結|关注我们|點讚|点赞|赞|收藏"
            "|保存|微信|微博|新浪微博|qq空间|扫一扫"
        ),
        "comment": (
            "评论|評論|留言|回复|回覆|举报|檢舉|發表評論|发表评论|我要评论|写评论|暂无评论|引用"
            "|网友评论|跟帖|发表回复"
        ),
        "ad": "广告|廣告|赞助|贊助|推广|推廣|赞助内容|赞助商链接",
        "pitch": (
            "订阅|訂閱|电子报|電子報|邮件列表|免费试用|免費試用|捐款|捐赠|捐助|成为会员|立即购买"
            "|立即購買|马上购买|下单|优惠|優惠|下载app|下载客户端|下載app|优惠券|折扣|扫码下载"
            "|立即注册"
        ),
        "related": (
            "相关阅读|相關閱讀|相关文章|相關文章|相关新闻|相關新聞|相关推荐|相关|延伸阅读|延伸閱讀"
            "|推荐阅读|推薦閱讀|猜你喜欢|你可能喜欢|您可能感兴趣|为你推荐|推荐|热门文章|熱門文章|热门"
            "|熱門|热点|热门推荐|阅读排行|点击排行|排行榜|最新文章|最新消息|最新新闻|最近文章"
            "|近期文章|近期评论|下一篇|上一篇|更多文章|更多新闻|其他文章|参见|參見|阅读更多|編輯推薦"
            "|编辑推荐|今日热点"
        ),
        "byline": (
            "作者|记者|記者|来源|來源|发布时间|發布時間|发表于|更新时间|更新時間|编辑|责任编辑|图片|摄影"
        ),
    },
    "ko": {
        "menu": (
            "메뉴|홈|홈으로|검색|로그인|로그아웃|회원가입|마이페이지|내 계정|문의|문의하기|고객센터"
            "|회사소개|소개|도움말|자주 묻는 질문|사이트맵|맨 위로|위로|닫기|열기|다음|이전|뒤로"
            "|본문 바로가기|본문으로 바로가기|컨텐츠로 건너뛰기|콘텐츠로 건너뛰기|언어|필터|정렬"
            "|장바구니|장바구니 담기|더보기|더 보기|전체보기|모두 보기|채용|광고문의|보내기|제출|목차"
            "|태그|카테고리|분류|보관함|자세히 보기|기사제보|구독"
        ),
        "legal": (
            "개인정보처리방침|개인정보 처리방침|개인정보취급방침|이용약관|청소년보호정책|저작권 정책"
            "|면책조항|쿠키 정책|법적고지"
        ),
        "rights": "무단 전재|무단전재|재배포 금지|저작권자|모든 권리 보유",
        "share": (
            "공유|공유하기|페이스북 공유|트위터|페이스북|카카오톡|카카오스토리|네이버 블로그|인쇄"
            "|프린트|이메일|링크 복사|url 복사|팔로우|좋아요|저장|스크랩|기사공유하기"
        ),
        "comment": (
            "댓글|댓글쓰기|댓글 쓰기|댓글 달기|답글|답글 쓰기|신고|신고하기|댓글 남기기|의견 남기기"
            "|인용|댓글 보기|댓글이 없습니다"
        ),
        "ad": "광고|스폰서|협찬|후원|파트너스|프로모션",
        "pitch": (
            "구독하기|구독 신청|뉴스레터|무료 체험|후원하기|기부|가입하기|지금 구매|구매하기|주문하기"
            "|할인|쿠폰|앱 다운로드|이벤트|특가"
        ),
        "related": (
            "관련 기사|관련기사|관련 글|관련글|관련 뉴스|관련뉴스|연관 기사|함께 보면 좋은"
            "|함께 읽으면 좋은|추천 기사|추천기사|추천 글|추천|인기 기사|인기기사|인기 글|인기글"
            "|많이 본 뉴스|많이 본 기사|가장 많이 본|최신 기사|최신기사|최신 글|최신글|최근 글"
            "|최근 댓글|주요 뉴스|주요뉴스|다음 글|이전 글|다음글|이전글|다른 기사|더 읽기|같이 보기"
            "|당신이 좋아할|실시간 뉴스|이 시각"
        ),
        "byline": "기자|글|작성자|입력|수정|등록|최종수정|작성일|사진|출처|승인",
    },
}
"""Language code (ISO 639-1) to kind of term to phrases."""

KINDS = tuple(TERMS[ENGLISH])
_UNSPACED = frozenset(("ja", "zh", "ko"))


@dataclass(frozen=True, slots=True)
class Terms:
    """What a page's language calls things, as patterns over case-folded text; English is always in.

    Parameters
    ----------
    exact : dict of str to frozenset of str
        Kind of term to phrases, to compare a whole line with.
    within : dict of str to Pattern
        Kind of term to a pattern that finds a phrase as whole words; without word bounds in languages that
        write none.
    """

    exact: dict[str, frozenset[str]]
    within: dict[str, re.Pattern[str]]


def fold(text: str) -> str:
    """Give text without case, with single spaces, and characters in their usual form.

    The dotless ``ı`` becomes ``i``: what a Turkish capital ``I`` stands for, no rule of Unicode can know.
    """
    plain = unicodedata.normalize("NFKC", text).casefold().replace("i\u0307", "i").replace("ı", "i")
    return " ".join(plain.split())


@lru_cache(maxsize=len(TERMS) + 1)
def terms_of(language: str) -> Terms:
    """Terms for a language code such as ``de`` or ``pt-BR``; English alone if it is not in the table."""
    code = re.split("[-_]", language.casefold())[0]
    phrases = {kind: _phrases(ENGLISH, kind) for kind in KINDS}
    if code in TERMS:
        phrases = {kind: phrases[kind] + _phrases(code, kind) for kind in KINDS}
    return Terms(
        exact={kind: frozenset(words) for kind, words in phrases.items()},
        within={kind: _pattern(words, code) for kind, words in phrases.items()},
    )


def written_phrases(language: str, kind: str) -> list[str]:
    """Give the phrases of a kind as they stand in the table."""
    return TERMS[language][kind].split("|")


def _phrases(language: str, kind: str) -> tuple[str, ...]:
    return tuple(map(fold, written_phrases(language, kind)))


def _pattern(phrases: tuple[str, ...], code: str) -> re.Pattern[str]:
    longest_first = sorted(set(phrases), key=lambda phrase: (-len(phrase), phrase))
    bounded = [re.escape(p) for p in longest_first if p.isascii() or code not in _UNSPACED]
    free = [re.escape(p) for p in longest_first if not p.isascii() and code in _UNSPACED]
    parts = [rf"(?<!\w)(?:{'|'.join(bounded)})(?!\w)"] * bool(bounded) + free
    return re.compile("|".join(parts))
